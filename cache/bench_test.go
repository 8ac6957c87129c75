package cache

import (
	"fmt"
	"testing"
	"time"
)

func objectKey(i int) string { return fmt.Sprintf("http://www.example.org/an/object/%08d", i) }

func benchKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = objectKey(i)
	}
	return keys
}

func eachEngineBench(b *testing.B, bench func(b *testing.B, e Engine)) {
	for _, e := range Engines() {
		b.Run(string(e), func(b *testing.B) { bench(b, e) })
	}
}

func BenchmarkGet(b *testing.B) {
	const n = 1 << 12
	keys := benchKeys(n)
	absent := benchKeys(2 * n)[n:]
	for _, c := range []struct {
		name string
		keys []string
		ttl  time.Duration
	}{{"hit", keys, 0}, {"hit with TTL", keys, time.Hour}, {"miss", absent, 0}} {
		b.Run(c.name, func(b *testing.B) {
			eachEngineBench(b, func(b *testing.B, e Engine) {
				s := filled(b, e, keys, c.ttl)
				for i := range b.N {
					s.Get(c.keys[i%n])
				}
			})
		})
	}
	b.Run("hit, parallel", func(b *testing.B) {
		eachEngineBench(b, func(b *testing.B, e Engine) {
			s := filled(b, e, keys, 0)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					s.Get(keys[i%n])
				}
			})
		})
	})
}

// filled is a store that has room for all keys and holds them.
func filled(b *testing.B, e Engine, keys []string, ttl time.Duration) Store[*int] {
	s := open[*int](b, e, 64<<20)
	for _, key := range keys {
		s.Set(key, new(int), 400, ttl)
	}
	s.Flush()
	b.ReportAllocs()
	b.ResetTimer()
	return s
}

func BenchmarkSet(b *testing.B) {
	const n = 1 << 16
	keys := benchKeys(n)
	for _, c := range []struct {
		name    string
		maxCost int64
		vary    int64
	}{{"room for all", 1 << 30, 1}, {"changed cost", 1 << 30, 2}, {"evicting", 1 << 20, 1}} {
		b.Run(c.name, func(b *testing.B) {
			eachEngineBench(b, func(b *testing.B, e Engine) {
				s := open[*int](b, e, c.maxCost)
				v := new(int)
				b.ReportAllocs()
				for i := range b.N {
					s.Set(keys[i%n], v, 400+int64(i/n)%c.vary, 0)
				}
				s.Flush()
			})
		})
	}
}

// BenchmarkReadThrough is what a proxy does: a Get, and a Set after a miss. An
// eighth of the keys, which most requests are for, and some of the others fit.
func BenchmarkReadThrough(b *testing.B) {
	const n = 1 << 16
	keys := benchKeys(n)
	eachEngineBench(b, func(b *testing.B, e Engine) {
		s := open[*int](b, e, n/4*400)
		v := new(int)
		hits := 0
		b.ReportAllocs()
		for i := range b.N {
			k := uint32(i) * 2654435761 >> 16
			if i%8 != 0 {
				k /= 8
			}
			if _, ok := s.Get(keys[k]); ok {
				hits++
			} else {
				s.Set(keys[k], v, 400, 0)
			}
		}
		s.Flush()
		b.ReportMetric(100*float64(hits)/float64(b.N), "%hits")
	})
}
