package cache

import (
	"fmt"
	"testing"
	"time"
)

func benchKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("http://www.example.org/an/object/%08d", i)
	}
	return keys
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
			s := open[*int](b, 64<<20)
			for _, key := range keys {
				s.Set(key, new(int), 8, c.ttl)
			}
			s.flush()
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				s.Get(c.keys[i%n])
			}
		})
	}
	b.Run("hit, parallel", func(b *testing.B) {
		s := open[*int](b, 64<<20)
		for _, key := range keys {
			s.Set(key, new(int), 8, 0)
		}
		s.flush()
		b.ReportAllocs()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				s.Get(keys[i%n])
			}
		})
	})
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
			s := open[*int](b, c.maxCost)
			v := new(int)
			b.ReportAllocs()
			for i := range b.N {
				s.Set(keys[i%n], v, int64(i/n)%c.vary, 0)
			}
		})
	}
}
