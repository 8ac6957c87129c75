package workload

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// near compares two results of the same function.
func near(t *testing.T, want, got float64, name string, x float64) {
	t.Helper()
	if want == 0 {
		assert.Zero(t, got, "%s(%v)", name, x)
		return
	}
	assert.InEpsilon(t, want, got, 1e-14, "%s(%v)", name, x)
}

func TestPortableFunctions(t *testing.T) {
	for x := 1e-18; x < 1e18; x *= 1.37 {
		near(t, math.Log1p(x), log1p(x), "log1p", x)
		if x < 1 {
			near(t, math.Log1p(-x), log1p(-x), "log1p", -x)
		}
		// Just beside 1 a logarithm is as small as the rounding of its argument.
		near(t, math.Log(1.5*x), ln(1.5*x), "ln", 1.5*x)
	}
	near(t, 0, ln(1), "ln", 1)
	for x := -690.0; x < 690; x += 0.37 {
		near(t, math.Exp(x), exp(x), "exp", x)
	}
	for x := 1e-18; x < 30; x *= 1.21 {
		near(t, math.Expm1(x), expm1(x), "expm1", x)
		near(t, math.Expm1(-x), expm1(-x), "expm1", -x)
	}
	assert.Zero(t, exp(-1e9))
	assert.False(t, math.IsInf(exp(1e9), 1))
}
