package workload

import "math"

// The functions here round alike on all machines, which those of package math do
// not: no assembly, and a conversion around each product that is added to
// something, so that no compiler fuses the two. Relative errors are below 1e-15,
// arguments are finite.

const (
	ln2High = 0x1.62e42fefap-1 // short enough that a product with a small whole number is exact
	ln2Low  = 0x1.cf79abc9e3b3ap-40
)

// log1p is ln(1+x) for x > -1.
func log1p(x float64) float64 {
	if x > -0.25 && x < 0.5 {
		return atanh2(x / (2 + x))
	}
	return ln(1 + x)
}

// ln is the natural logarithm of x > 0.
func ln(x float64) float64 {
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f *= 2
		e--
	}
	return float64(float64(e)*ln2High) + (float64(float64(e)*ln2Low) + atanh2((f-1)/(f+1)))
}

// atanh2 is twice the inverse hyperbolic tangent, for |s| <= 0.2.
func atanh2(s float64) float64 {
	z := s * s
	sum := 0.0
	for k := 23.0; k >= 3; k -= 2 {
		sum = float64(z * (sum + 1/k))
	}
	return float64(2*s) + float64(2*s*sum)
}

// exp is e to the power of x, 0 below -700 and capped above 700.
func exp(x float64) float64 {
	if x < -700 {
		return 0
	}
	x = min(x, 700)
	k := math.Floor(x/math.Ln2 + 0.5)
	r := (x - float64(k*ln2High)) - float64(k*ln2Low)
	return math.Ldexp(1+expm1Small(r), int(k))
}

// expm1 is e to the power of x, minus 1.
func expm1(x float64) float64 {
	if x > -0.35 && x < 0.35 {
		return expm1Small(x)
	}
	return exp(x) - 1
}

// expm1Small is expm1 for |x| <= 0.35: the first terms of its series.
func expm1Small(x float64) float64 {
	sum := 0.0
	for k := 14.0; k >= 2; k-- {
		sum = float64((1 + sum) * x / k)
	}
	return x + float64(x*sum)
}
