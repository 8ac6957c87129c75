package cache

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzStoreAgainstMap reads operations from the input, three bytes each, and holds
// the store to a plain map: a Get returns the latest value or nothing, and after a
// Flush the accounts are exact and within MaxCost.
func FuzzStoreAgainstMap(f *testing.F) {
	rng := rand.New(rand.NewPCG(11, 12))
	for i := range 16 {
		ops := make([]byte, 64<<(i/4*2))
		for k := range ops {
			ops[k] = byte(rng.Uint32())
		}
		f.Add(ops, i%2 == 0, i/2%2 == 0)
	}
	f.Fuzz(func(t *testing.T, ops []byte, gdsf, colliding bool) {
		m := &fuzzModel{t: t, latest: map[string]int{}, max: 1_000}
		o := Options{MaxCost: m.max, Engine: Ristretto, Exponent: DefaultExponent}
		if gdsf {
			o.Engine = GDSF
		}
		var err error
		m.store, err = New[int](o)
		require.NoError(t, err)
		defer m.store.Close()
		if colliding {
			collide(m.store)
		}
		for i := 0; i+2 < min(len(ops), 6_000); i += 3 {
			m.step(ops[i], ops[i+1]%16, int64(ops[i+2]))
		}
		assert.Equal(t, m.sets, wantExact(t, m.store).Sets)
		m.step(opRange, 0, 0)
	})
}

// fuzzModel is a store beside the map that says what its keys may show.
type fuzzModel struct {
	t      *testing.T
	store  Store[int]
	latest map[string]int // absent: nothing may be shown
	max    int64
	sets   uint64
	clock  int
}

// Where in a byte the operations begin; below opGet it is a Set.
const (
	opGet    = 0x60
	opUpdate = 0x80
	opDelete = 0xa0
	opRange  = 0xc0
	opFlush  = 0xe0
	opResize = 0xf0
	opClear  = 0xfc
)

func (m *fuzzModel) step(op, k byte, arg int64) {
	key := string('a' + rune(k))
	m.clock++
	switch {
	case op < opGet:
		m.set(key, arg*5)
	case op < opUpdate:
		if v, ok := m.store.Get(key); ok {
			m.shown(key, v)
		}
	case op < opDelete:
		m.update(key, arg)
	case op < opRange:
		m.store.Delete(key)
		delete(m.latest, key)
		_, ok := m.store.Get(key)
		assert.False(m.t, ok, "%s is there after Delete", key)
	case op < opFlush:
		m.store.Range(func(key string, v int, cost int64) bool {
			m.shown(key, v)
			return true
		})
	case op < opResize:
		m.store.Flush()
		assert.LessOrEqual(m.t, m.store.Stats().Cost, m.max)
	case op < opClear:
		m.max = 1 + arg*8
		m.store.Resize(m.max)
		assert.LessOrEqual(m.t, m.store.Stats().Cost, m.max)
	default:
		m.store.Clear()
		clear(m.latest)
	}
}

func (m *fuzzModel) set(key string, cost int64) {
	m.sets++
	fits := cost >= 1 && cost <= m.max
	assert.Equal(m.t, fits, m.store.Set(key, m.clock, cost, 0))
	if !fits {
		delete(m.latest, key)
		_, ok := m.store.Get(key)
		assert.False(m.t, ok, "%s is there after a Set was refused", key)
		return
	}
	m.latest[key] = m.clock
}

func (m *fuzzModel) update(key string, arg int64) {
	c := Change[int]{Op: Op(arg % 3), Value: m.clock, Cost: 1 + arg}
	done := m.store.Update(key, func(old int, ok bool) Change[int] {
		if ok {
			m.shown(key, old)
		}
		return c
	})
	switch {
	case c.Op == Put:
		m.sets++
		assert.Equal(m.t, c.Cost <= m.max, done)
		m.latest[key] = m.clock
		if !done {
			delete(m.latest, key)
		}
	case c.Op == Remove:
		delete(m.latest, key)
	}
}

func (m *fuzzModel) shown(key string, v int) {
	want, ok := m.latest[key]
	assert.True(m.t, ok, "%s shows %d, and should be gone", key, v)
	assert.Equal(m.t, want, v, "%s", key)
}
