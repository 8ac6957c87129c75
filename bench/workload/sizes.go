package workload

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"strings"

	"cacheproxy/config"
)

// maxSize bounds the size of an object, in bytes (1 TiB).
const maxSize = 1 << 40

// Law is a family of size distributions.
type Law string

// The laws.
const (
	Fixed      Law = "fixed"       // all alike
	Uniform    Law = "uniform"     // every size from Min to Max equally often
	LogUniform Law = "log-uniform" // every order of magnitude from Min to Max equally often
	LogNormal  Law = "lognormal"   // logarithms are normal; what is outside Min to Max is moved there
)

// Sizes is a distribution of object sizes, in bytes. The size of an object
// depends on its identity and the seed only.
type Sizes struct {
	Law      Law
	Min, Max int64   // 0 to 1 TiB; 1 or more for LogUniform; alike for Fixed
	Median   int64   // LogNormal only: 1 to 1 TiB
	Sigma    float64 // LogNormal only: standard deviation of the natural logarithm, 0 to 5
}

// ParseSizes reads a distribution: fixed:SIZE, uniform:MIN-MAX,
// log-uniform:MIN-MAX or lognormal:MEDIAN,SIGMA[,MIN-MAX], where sizes have
// units, such as 10KiB; the default range of the last is 1B-1GiB.
func ParseSizes(s string) (Sizes, error) {
	law, rest, _ := strings.Cut(s, ":")
	d := Sizes{Law: Law(law)}
	var err error
	switch d.Law {
	case Fixed:
		d.Min, err = parseSize(rest)
		d.Max = d.Min
	case Uniform, LogUniform:
		d.Min, d.Max, err = parseSpan(rest)
	case LogNormal:
		err = d.parseLogNormal(rest)
	default:
		err = fmt.Errorf("%q is no distribution; use fixed:SIZE, uniform:MIN-MAX, log-uniform:MIN-MAX or lognormal:MEDIAN,SIGMA[,MIN-MAX]", s)
	}
	if err != nil {
		return Sizes{}, err
	}
	return d, d.check()
}

func (d *Sizes) parseLogNormal(s string) error {
	median, s, _ := strings.Cut(s, ",")
	sigma, span, spanned := strings.Cut(s, ",")
	var err error
	if d.Median, err = parseSize(median); err != nil {
		return err
	}
	if d.Sigma, err = strconv.ParseFloat(sigma, 64); err != nil {
		return fmt.Errorf("%q is no number; write lognormal:MEDIAN,SIGMA, for example lognormal:10KiB,1.5", sigma)
	}
	d.Min, d.Max = 1, 1<<30
	if spanned {
		d.Min, d.Max, err = parseSpan(span)
	}
	return err
}

func parseSize(s string) (int64, error) {
	n, err := config.ParseSize(s)
	return int64(n), err
}

func parseSpan(s string) (from, to int64, err error) {
	low, high, _ := strings.Cut(s, "-")
	if from, err = parseSize(low); err != nil {
		return 0, 0, err
	}
	to, err = parseSize(high)
	return from, to, err
}

// check returns an error that names the part which is out of range.
func (d Sizes) check() error {
	least := int64(0)
	switch d.Law {
	case Fixed, Uniform:
	case LogUniform:
		least = 1
	case LogNormal:
		if d.Median < 1 || d.Median > maxSize {
			return fmt.Errorf("median %s is out of range; use 1B to 1TiB", config.Size(d.Median))
		}
		if !(d.Sigma >= 0 && d.Sigma <= 5) {
			return fmt.Errorf("sigma %v is out of range; use 0 to 5", d.Sigma)
		}
	default:
		return fmt.Errorf("%q is no distribution; use %s, %s, %s or %s", d.Law, Fixed, Uniform, LogUniform, LogNormal)
	}
	if d.Min < least || d.Max < d.Min || d.Max > maxSize {
		return fmt.Errorf("sizes %s-%s are out of range; use %dB to 1TiB, the smaller one first",
			config.Size(d.Min), config.Size(d.Max), least)
	}
	return nil
}

// String is what ParseSizes reads.
func (d Sizes) String() string {
	switch d.Law {
	case Fixed:
		return fmt.Sprintf("%s:%s", d.Law, config.Size(d.Min))
	case LogNormal:
		return fmt.Sprintf("%s:%s,%s,%s-%s", d.Law, config.Size(d.Median), number(d.Sigma), config.Size(d.Min), config.Size(d.Max))
	}
	return fmt.Sprintf("%s:%s-%s", d.Law, config.Size(d.Min), config.Size(d.Max))
}

// number is the shortest text that is read as f.
func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// of is the size of the object with this identity.
func (d Sizes) of(id, seed uint64) int64 {
	if d.Min == d.Max {
		return d.Min
	}
	random := rand.NewPCG(id, seed)
	switch d.Law {
	case Uniform:
		offset, _ := bits.Mul64(random.Uint64(), uint64(d.Max-d.Min+1))
		return d.Min + int64(offset)
	case LogUniform:
		ratio := ln(float64(d.Max) / float64(d.Min))
		return d.clamp(float64(d.Min) * exp(unit(random.Uint64())*ratio))
	}
	return d.clamp(float64(d.Median) * exp(d.Sigma*normal(random)))
}

func (d Sizes) clamp(f float64) int64 {
	return int64(min(max(math.Floor(f+0.5), float64(d.Min)), float64(d.Max)))
}

// normal draws from the standard normal distribution (Marsaglia's polar method).
func normal(random *rand.PCG) float64 {
	for {
		x, y := 2*unit(random.Uint64())-1, 2*unit(random.Uint64())-1
		if s := float64(x*x) + float64(y*y); s > 0 && s < 1 {
			return x * math.Sqrt(-2*ln(s)/s)
		}
	}
}
