// A product, which the p-bits divide into its factors when p is clamped.
module factor (input [7:0] a, input [7:0] b, output [15:0] p);
  assign p = a * b;
endmodule
