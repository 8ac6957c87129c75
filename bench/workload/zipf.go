package workload

import (
	"math"
	"math/rand/v2"
)

// zipf draws ranks 1 to n, each with a probability in proportion to
// rank^-alpha, for any alpha from 0 up. It needs no table: it draws from the
// area under the curve x^-alpha and throws away the little that the curve has
// more than the steps (rejection-inversion: W. Hörmann and G. Derflinger, 1996).
type zipf struct {
	n     float64
	alpha float64
	low   float64 // area at the left edge of rank 1
	high  float64 // area at the right edge of rank n
	sure  float64 // a draw that lies at most this far below its rank needs no test
}

func newZipf(n int64, alpha float64) zipf {
	z := zipf{n: float64(n), alpha: alpha}
	z.low = z.area(1.5) - 1
	z.high = z.area(z.n + 0.5)
	z.sure = 2 - z.inverse(z.area(2.5)-z.weight(2))
	return z
}

// weight is x^-alpha.
func (z zipf) weight(x float64) float64 { return exp(-z.alpha * ln(x)) }

// area is the integral of x^-alpha, zero at 1.
func (z zipf) area(x float64) float64 {
	log := ln(x)
	t := (1 - z.alpha) * log
	if t == 0 {
		return log
	}
	return log * (expm1(t) / t)
}

// inverse is the x at which the area is a.
func (z zipf) inverse(a float64) float64 {
	t := max(a*(1-z.alpha), -1+0x1p-53)
	if t == 0 {
		return exp(a)
	}
	return exp(a * (log1p(t) / t))
}

// draw returns a rank, 1 to n.
func (z zipf) draw(random *rand.PCG) int64 {
	for {
		a := z.high + float64(unit(random.Uint64())*(z.low-z.high))
		x := z.inverse(a)
		rank := min(max(math.Floor(x+0.5), 1), z.n)
		if rank-x <= z.sure || a >= z.area(rank+0.5)-z.weight(rank) {
			return int64(rank)
		}
	}
}

// unit maps random bits to [0, 1).
func unit(bits uint64) float64 { return float64(bits>>11) * 0x1p-53 }
