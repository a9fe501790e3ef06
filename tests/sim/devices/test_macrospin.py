"""The macrospin against Landau and Lifshitz without noise, and against Boltzmann, Brown and its telegraph with it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pbit_hw.contract.errors import ModelError, RequestError
from pbit_hw.sim.devices.equilibrium import equilibrium
from pbit_hw.sim.devices.extraction import early_autocorrelation, extract, fit_decay, fit_tanh
from pbit_hw.sim.devices.macrospin import GYROMAGNETIC, Macrospin

IN_PLANE = Macrospin.in_plane()
BISTABLE = Macrospin.perpendicular(4.0)
FAST = Macrospin.perpendicular(4.0, damping=0.5)
MAGNETS = 3_000

CASES = {
    "in plane": (IN_PLANE, 0.004, (50.0, 0.0, 0.0), 3),
    "perpendicular": (FAST, 0.05, (0.0, 0.0, 0.0), 1),
    "three axes and an oblique field": (Macrospin((120.0, -60.0, 200.0), 0.1), 0.05, (30.0, 40.0, -20.0), 1),
}
"""Magnet, time step in ns, applied field in Oe, and how many times 500 steps make independent readings."""


def readings(magnet, dt_ns, field_oe, kept, seed, **drives):
    """Where magnets are at the end of 2,000 steps from random directions, and 500 steps earlier, shape (-1, 3)."""
    settings = dict(dt_ns=dt_ns, magnets=MAGNETS, keep_every=500, burn_in=2_000 - 500 * kept, field_oe=field_oe)
    return magnet.run(2_000, **settings, seed=seed, **drives).reshape(-1, 3)


def p_values(directions, exact):
    """Kolmogorov-Smirnov p-values of the polar cosine and of the azimuth."""
    azimuth = np.arctan2(directions[:, 1], directions[:, 0])
    return (
        stats.kstest(directions[:, 2], exact.cosine_cdf).pvalue,
        stats.kstest(azimuth, exact.azimuth_cdf).pvalue,
    )


def squares(magnet, dt_ns, magnets, seed=1, ns=420.0, burn_in_ns=70.0):
    """Relative error of <m_z^2> of a perpendicular magnet and its standard error."""
    every = round(2.8 / dt_ns)
    steps, burn_in = round(ns / dt_ns), round(burn_in_ns / dt_ns)
    run = magnet.run(steps, dt_ns=dt_ns, magnets=magnets, keep_every=every, burn_in=burn_in, seed=seed)
    means = (run[:, :, 2] ** 2).mean(axis=0) / equilibrium(magnet).mean_squares[2]
    return means.mean() - 1, means.std() / np.sqrt(magnets)


def brown_ns(magnet, cells=300):
    """Slowest relaxation time of m_z of a round magnet, from the Fokker-Planck equation (Brown 1963) in cells of m_z.

    And the part of the autocorrelation of sign(m_z) that relaxes with it.
    """
    edges = np.linspace(-1, 1, cells + 1)
    middles, inner = (edges[1:] + edges[:-1]) / 2, edges[1:-1]
    weights, flows = (np.exp(magnet.barrier_kt * (x**2 - 1)) for x in (middles, inner))
    rates = magnet.diffusion_per_ns * (1 - inner**2) * flows / (2 / cells) ** 2
    matrix = np.diag(np.append(rates, 0) + np.append(0, rates)) - np.diag(rates, 1) - np.diag(rates, -1)
    root = np.sqrt(weights)
    values, vectors = np.linalg.eigh(matrix / np.outer(root, root))
    share = (vectors[:, 1] @ (root * np.sign(middles))) ** 2 / weights.sum()
    return 1 / values[1], share


def test_presets_are_the_magnets_of_the_literature():
    """In kT at 300 K, by hand: Ms V = 8.36e-16 emu."""
    assert IN_PLANE.moment_emu == pytest.approx(8.363e-16, rel=1e-3)
    assert IN_PLANE.thermal_oe == pytest.approx(49.5, rel=1e-3)
    assert IN_PLANE.barrier_kt == pytest.approx(0.0101, rel=1e-2)
    assert IN_PLANE.easy_axis == 0
    assert BISTABLE.barrier_kt == pytest.approx(4.0)
    assert BISTABLE.easy_axis == 2
    assert BISTABLE.anisotropy_oe[2] == pytest.approx(8 * BISTABLE.thermal_oe)


def cold_turn(**drives):
    """Azimuth and tan(theta / 2) of a magnet without anisotropy or noise, and the times in ns, every 0.01 ns."""
    m = Macrospin((0.0, 0.0, 0.0), 0.1, temperature_k=1e-12).run(300, dt_ns=0.01, **drives)[:, 0]
    return np.unwrap(np.arctan2(m[:, 1], m[:, 0])), np.sqrt((1 - m[:, 2]) / (1 + m[:, 2])), 0.01 * np.arange(300)


def test_a_field_makes_the_magnet_precess_and_fall_in():
    """Azimuth |g| H t / (1 + a^2); tan(theta / 2) falls as exp(-a |g| H t / (1 + a^2))."""
    azimuth, tangent, times = cold_turn(field_oe=(0.0, 0.0, 500.0))
    rate = GYROMAGNETIC * 1e-9 * 500 / 1.01
    assert azimuth - azimuth[0] == pytest.approx(rate * times, rel=1e-3, abs=1e-9)
    assert tangent == pytest.approx(tangent[0] * np.exp(-0.1 * rate * times), rel=1e-2)


def test_a_spin_current_pulls_the_magnet_along_and_precesses_it_backwards():
    """The current I does as a damping torque mu_B I / (q Ms V), and a times that as a field against it."""
    azimuth, tangent, times = cold_turn(spin_current_ua=(0.0, 0.0, 50.0))
    rate = 50e-6 * 9.274e-21 / (1.602e-19 * IN_PLANE.moment_emu) * 1e-9 / 1.01
    assert tangent == pytest.approx(tangent[0] * np.exp(-rate * times), rel=1e-2)
    assert azimuth - azimuth[0] == pytest.approx(-0.1 * rate * times, rel=1e-2, abs=1e-9)


def test_without_noise_the_integrator_is_of_second_order():
    """Against a run of a sixteenth of the step, in a field across three different axes."""
    magnet = Macrospin((120.0, -60.0, 200.0), 0.1, temperature_k=1e-12)

    def end(fine):
        settings = dict(dt_ns=0.04 / fine, magnets=50, field_oe=(100.0, 200.0, 300.0))
        return magnet.run(40 * fine, burn_in=40 * fine - 1, **settings)[0]

    errors = [np.abs(end(fine) - end(64)).mean() for fine in (1, 2, 4)]
    assert 3 < errors[0] / errors[1] < 6
    assert 3 < errors[1] / errors[2] < 6


def test_the_length_is_kept():
    run = BISTABLE.run(20_000, dt_ns=0.2, magnets=20, keep_every=1_000)
    assert np.abs(np.linalg.norm(run, axis=2) - 1).max() < 1e-12


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_directions_in_equilibrium_are_boltzmanns(case, seed):
    magnet, dt_ns, field_oe, kept = CASES[case]
    exact = equilibrium(magnet, field_oe=field_oe)
    assert min(p_values(readings(magnet, dt_ns, field_oe, kept, seed), exact)) > 0.01


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_negative_control_a_thermal_field_that_is_off_by_a_fifth_is_rejected(case, factor):
    magnet, dt_ns, field_oe, kept = CASES[case]
    exact = equilibrium(magnet, field_oe=field_oe)
    shaken = replace(magnet, temperature_k=magnet.temperature_k * factor**2)
    assert min(p_values(readings(shaken, dt_ns, field_oe, kept, 0), exact)) < 1e-6


def test_a_spin_current_along_the_axis_is_a_field_for_the_equilibrium():
    current_ua = 5.0
    field_oe = FAST.torque_oe(current_ua) / FAST.damping
    assert field_oe == pytest.approx(39.3, rel=1e-2)
    directions = readings(FAST, 0.05, (0.0, 0.0, 0.0), 1, seed=3, spin_current_ua=(0.0, 0.0, current_ua))
    assert min(p_values(directions, equilibrium(FAST, field_oe=(0.0, 0.0, field_oe)))) > 0.01
    assert min(p_values(directions, equilibrium(FAST))) < 1e-6


def test_equilibrium_without_anisotropy_is_langevins():
    """<m> = coth x - 1 / x along the field, in units x of kT."""
    magnet = Macrospin((0.0, 0.0, 0.0))
    x = 3.0
    for field in np.eye(3) * x * magnet.thermal_oe:
        mean = equilibrium(magnet, field_oe=tuple(field)).mean
        assert mean == pytest.approx(field / np.linalg.norm(field) * (1 / np.tanh(x) - 1 / x), abs=1e-5)


def test_the_error_of_the_equilibrium_falls_with_the_time_step():
    """Of <m_z^2>, in thousandths: about -23 at 0.2 ns, -7 at 0.1 and -3 at 0.05."""
    coarse, middle, fine = (squares(FAST, dt_ns, 1_000) for dt_ns in (0.2, 0.1, 0.05))
    assert max(error for _, error in (coarse, middle, fine)) < 0.0015
    assert abs(coarse[0]) > 2 * abs(middle[0])
    assert abs(middle[0]) > 1.5 * abs(fine[0])
    assert abs(fine[0]) < 0.006


def heun(magnet, steps, dt_ns, magnets):
    """Heun's rule with m renormalised, the textbook's integrator; directions at the end."""
    rng, a = np.random.default_rng(1), magnet.damping
    m = rng.normal(size=(magnets, 3))
    m /= np.linalg.norm(m, axis=1, keepdims=True)
    gain = GYROMAGNETIC * 1e-9 * dt_ns / (1 + a**2)
    noise_oe = np.sqrt(2 * a * magnet.thermal_oe / (GYROMAGNETIC * 1e-9 * dt_ns))
    for _ in range(steps):
        noise = noise_oe * rng.normal(size=m.shape)
        slopes, at = [], m
        for _ in range(2):
            torque = np.cross(at, noise + magnet.anisotropy_oe * at)
            slopes.append(-gain * (torque + a * np.cross(at, torque)))
            at = m + slopes[0]
        m = m + (slopes[0] + slopes[1]) / 2
        m /= np.linalg.norm(m, axis=1, keepdims=True)
    return m


def test_negative_control_heuns_rule_heats_a_magnet_of_little_damping():
    magnet = Macrospin.perpendicular(4.0, damping=0.01)
    exact = equilibrium(magnet).mean_squares[2]
    assert (heun(magnet, 5_000, 0.1, 100)[:, 2] ** 2).mean() < 0.75 * exact
    error, noise = squares(magnet, 0.1, 100, ns=2_000, burn_in_ns=500)
    assert abs(error) < 0.012 + 4 * noise


def test_a_round_in_plane_magnet_is_dephased_by_its_own_demagnetising_field():
    """Its azimuth turns at |g| 4 pi Ms m_z, which forgets in 1 / (a |g| 4 pi Ms) = 0.4 ns.

    So cos(azimuth) decays as the phase of an Ornstein-Uhlenbeck frequency does
    (the dephasing of Kaiser et al., Phys. Rev. Applied 12, 054056, 2019).
    """
    run = IN_PLANE.run(4_000, dt_ns=0.002, magnets=1_000, keep_every=10, burn_in=1_000)
    found = early_autocorrelation(run[:, :, 0])
    turn = GYROMAGNETIC * 1e-9 * -IN_PLANE.anisotropy_oe[2] / (1 + IN_PLANE.damping**2)
    memory_ns = 1 / (IN_PLANE.damping * turn)
    variance = turn**2 * IN_PLANE.thermal_oe / -IN_PLANE.anisotropy_oe[2]
    times = 0.02 * np.arange(len(found))
    expected = np.exp(-variance * memory_ns**2 * (np.expm1(-times / memory_ns) + times / memory_ns))
    assert len(found) > 6
    assert found == pytest.approx(expected, abs=0.02)


@pytest.fixture(scope="module")
def extracted():
    """The junction of a magnet of 4 kT: 8 runs of 512 magnets."""
    fields = np.linspace(-90, 90, 7)
    return extract(FAST, fields, 12_000, dt_ns=0.1, magnets=512, keep_every=5, burn_in=1_000, seed=1)


def sign_correlation(magnet, correlation_ns, field_oe=0.0, magnets=1_000):
    """Autocorrelation of sign(m_z) at 1, 1.5 and 2 correlation times, and its standard errors."""
    every = round(correlation_ns / 2 / 0.1)
    settings = dict(dt_ns=0.1, magnets=magnets, keep_every=every, burn_in=20 * every, seed=100)
    signs = np.sign(magnet.run(300 * every, **settings, field_oe=(0.0, 0.0, field_oe))[:, :, 2])
    signs = signs - signs.mean()
    found = np.stack([(signs[lag:] * signs[:-lag]).mean(axis=0) for lag in (2, 3, 4)]) / signs.var()
    return found.mean(axis=1), found.std(axis=1) / np.sqrt(found.shape[1])


def expected_correlation(junction):
    """What `sign_correlation` should find of a junction."""
    return np.array([junction.memory(lag * 0.1 * round(junction.correlation_ns / 2 / 0.1)) for lag in (2, 3, 4)])


def test_the_telegraph_forgets_as_the_magnet_does(extracted):
    """Within a tenth, over one to two correlation times, of another run of the magnet."""
    junction = extracted.telegraph
    found, errors = sign_correlation(FAST, junction.correlation_ns)
    assert (errors < 0.03 * expected_correlation(junction)).all()
    assert found == pytest.approx(expected_correlation(junction), rel=0.1)


def test_negative_control_another_barrier_forgets_at_another_rate(extracted):
    """Half a kT more or less is two fifths of the correlation time."""
    expected = extracted.telegraph.memory(1.5 * extracted.telegraph.correlation_ns)
    for barrier_kt in (3.5, 4.5):
        other = replace(FAST, anisotropy_oe=(0.0, 0.0, 2 * barrier_kt * FAST.thermal_oe))
        found, _ = sign_correlation(other, extracted.telegraph.correlation_ns, magnets=200)
        assert abs(found[1] / expected - 1) > 0.2


def test_the_telegraph_is_that_of_the_fokker_planck_equation(extracted):
    exact_ns, share = brown_ns(FAST)
    assert extracted.telegraph.barrier_kt == pytest.approx(4.0)
    assert extracted.telegraph.correlation_ns == pytest.approx(exact_ns, rel=0.06)
    assert extracted.share == pytest.approx(share, abs=0.06)
    fields = np.linspace(-90, 90, 7)
    states = [equilibrium(FAST, field_oe=(0.0, 0.0, field)) for field in fields]
    amplitude, scale_oe = fit_tanh(fields, [state.mean[2] for state in states])
    assert extracted.amplitude == pytest.approx(amplitude, rel=0.03)
    assert extracted.scale_oe == pytest.approx(scale_oe, rel=0.06)
    drive_oe = fit_tanh(fields, [1 - 2 * state.cosine_cdf(0.0) for state in states])[1]
    assert extracted.drive_oe == pytest.approx(drive_oe, rel=0.06)


def test_a_field_drives_the_telegraph_as_the_magnet(extracted):
    """Its share of time up, and within a tenth its memory, at a drive of about a half."""
    field_oe = 30.0
    junction = extracted.driven(field_oe)
    assert junction.drive == pytest.approx(0.5, rel=0.06)
    up = 1 - equilibrium(FAST, field_oe=(0.0, 0.0, field_oe)).cosine_cdf(0.0)
    assert junction.probability_up == pytest.approx(up, abs=0.02)
    found, _ = sign_correlation(FAST, junction.correlation_ns, field_oe)
    assert found == pytest.approx(expected_correlation(junction), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("barrier_kt", [3.0, 5.0, 6.0])
def test_telegraphs_of_other_barriers(barrier_kt):
    magnet = Macrospin.perpendicular(barrier_kt, damping=0.5)
    exact_ns, share = brown_ns(magnet)
    every = round(exact_ns / 20 / 0.1)
    settings = dict(dt_ns=0.1, magnets=2_000, keep_every=every, burn_in=100 * every, seed=2)
    junction = extract(magnet, np.linspace(-90, 90, 7), 500 * every, **settings)
    assert junction.telegraph.correlation_ns == pytest.approx(exact_ns, rel=0.05)
    assert junction.share == pytest.approx(share, abs=0.04)
    found, _ = sign_correlation(magnet, junction.telegraph.correlation_ns)
    assert found == pytest.approx(expected_correlation(junction.telegraph), rel=0.1)


def test_fits_find_what_was_put_in():
    times = 0.5 * np.arange(60)
    assert fit_decay(0.9 * np.exp(-times / 7), 0.5) == pytest.approx((7.0, 0.9))
    drives = np.linspace(-3, 4, 9)
    assert fit_tanh(drives, 0.8 * np.tanh(drives / 1.7)) == pytest.approx((0.8, 1.7))
    assert fit_tanh(drives, -0.8 * np.tanh(drives / 1.7)) == pytest.approx((-0.8, 1.7))


def test_runs_differ_by_seed_and_keep_what_they_are_asked_for():
    whole = BISTABLE.run(100, dt_ns=0.05, magnets=1, seed=4)
    assert whole.shape == (100, 1, 3)
    assert np.array_equal(whole[16::7], BISTABLE.run(100, dt_ns=0.05, keep_every=7, burn_in=10, seed=4))
    assert not np.allclose(whole, BISTABLE.run(100, dt_ns=0.05, seed=5))
    many = BISTABLE.run(100, dt_ns=0.05, magnets=3, seed=4)
    assert len(np.unique(many[-1], axis=0)) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt_ns": 0.0}, r"time step of 0\.0 ns"),
        ({"dt_ns": float("nan")}, "time step of nan ns"),
        ({"dt_ns": 0.3}, r"time step of 0\.3 ns in a field of 396\.2 Oe .* at most 0\.287 ns"),
        ({"dt_ns": 0.2, "field_oe": (0.0, 0.0, 400.0)}, "in a field of 796"),
        ({"dt_ns": 0.1, "field_oe": (0.0, float("nan"), 0.0)}, "give finite ones"),
        ({"dt_ns": 0.1, "spin_current_ua": (float("inf"), 0.0, 0.0)}, "give finite ones"),
        ({"dt_ns": 0.1, "burn_in": 10}, "keep nothing"),
        ({"dt_ns": 0.1, "magnets": 0}, "keep nothing"),
    ],
)
def test_impossible_runs_are_refused(options, message):
    with pytest.raises(RequestError, match=message):
        BISTABLE.run(10, **options)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"damping": 0.0}, r"damping is 0\.0"),
        ({"temperature_k": -1.0}, r"temperature_k is -1\.0"),
        ({"diameter_nm": float("inf")}, "diameter_nm is inf"),
        ({"anisotropy_oe": (1.0, float("nan"), 0.0)}, "give three finite ones"),
        ({"anisotropy_oe": (1.0, 0.0)}, "give three finite ones"),
    ],
)
def test_impossible_magnets_are_refused(values, message):
    with pytest.raises(ModelError, match=message):
        replace(BISTABLE, **values)


def test_what_cannot_be_extracted_is_refused():
    with pytest.raises(ModelError, match=r"barrier of 0\.0101 kT makes no two states"):
        extract(IN_PLANE, [1.0], 10, dt_ns=0.001)
    with pytest.raises(RequestError, match="keep more often or run longer"):
        extract(BISTABLE, [1.0], 100, dt_ns=0.05)
    with pytest.raises(RequestError, match="keep more often"):
        fit_decay([1.0, 0.1], 1.0)
    for drives in ([0.0], [-1.0, 1.0], [0.1, 0.2, 0.3]):
        with pytest.raises(RequestError, match="give some between"):
            fit_tanh(drives, np.array(drives))
