package workload

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// law is the exact probability of each rank, at its index; 0 is unused.
func law(n int, alpha float64) []float64 {
	p := make([]float64, n+1)
	sum := 0.0
	for k := 1; k <= n; k++ {
		p[k] = math.Pow(float64(k), -alpha)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}

func TestZipfFollowsTheLaw(t *testing.T) {
	const draws = 100_000
	for _, n := range []int{1, 2, 3, 10, 1000, 100_000} {
		for _, alpha := range []float64{0, 0.3, 0.6, 0.9, 0.999999, 1, 1.000001, 1.2, 2, 3} {
			t.Run(fmt.Sprintf("%d objects, alpha %v", n, alpha), func(t *testing.T) {
				z := newZipf(int64(n), alpha)
				random := rand.NewPCG(1, 2)
				seen := make([]int, n+1)
				for range draws {
					seen[z.draw(random)]++
				}
				assert.Zero(t, seen[0])
				p := law(n, alpha)
				for k := 1; k <= min(n, 20); k++ {
					within(t, p[k], seen[k], draws, "rank %d", k)
				}
				// All ranks, in groups that double.
				for from := 1; from <= n; from *= 2 {
					sum, count := 0.0, 0
					for k := from; k < min(2*from, n+1); k++ {
						sum += p[k]
						count += seen[k]
					}
					within(t, sum, count, draws, "ranks from %d", from)
				}
			})
		}
	}
}

// within checks a count against a probability: five standard deviations, which
// one test in two million would exceed if the seed were not fixed.
func within(t *testing.T, p float64, count, draws int, format string, args ...any) {
	t.Helper()
	bound := 5*math.Sqrt(p*(1-p)*float64(draws)) + 1e-6*float64(draws)
	assert.InDelta(t, p*float64(draws), count, bound, format, args)
}

func TestZipfOfManyObjects(t *testing.T) {
	const draws = 200_000
	for _, alpha := range []float64{0, 0.8, 1, 1.5} {
		z := newZipf(MaxObjects, alpha)
		random := rand.NewPCG(1, 2)
		first, upper := 0, 0
		for range draws {
			rank := z.draw(random)
			if rank < 1 || rank > MaxObjects {
				t.Fatalf("alpha %v: rank %d", alpha, rank)
			}
			if rank == 1 {
				first++
			}
			if rank > MaxObjects/2 {
				upper++
			}
		}
		all := weights(MaxObjects, alpha)
		within(t, 1/all, first, draws, "alpha %v: rank 1", alpha)
		within(t, 1-weights(MaxObjects/2, alpha)/all, upper, draws, "alpha %v: upper half", alpha)
	}
}

// weights is the sum of k^-alpha for k from 1 to n, where n is large: the first
// terms as they are, the others by their integral.
func weights(n, alpha float64) float64 {
	sum := 0.0
	for k := 1.0; k <= 1000; k++ {
		sum += math.Pow(k, -alpha)
	}
	if alpha == 1 {
		return sum + math.Log((n+0.5)/1000.5)
	}
	return sum + (math.Pow(n+0.5, 1-alpha)-math.Pow(1000.5, 1-alpha))/(1-alpha)
}

func BenchmarkZipf(b *testing.B) {
	for _, alpha := range []float64{0.9, 1} {
		b.Run(fmt.Sprint(alpha), func(b *testing.B) {
			z := newZipf(MaxObjects, alpha)
			random := rand.NewPCG(1, 2)
			for b.Loop() {
				z.draw(random)
			}
		})
	}
}
