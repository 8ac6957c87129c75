package revalidate

import (
	"encoding/binary"
	"math"
	"time"

	"cacheproxy/policy"
)

// coder writes values after each other, or reads them. What cannot be read is bad.
type coder struct {
	out   []byte
	in    string
	reads bool
	bad   bool
}

func (c *coder) number(n *int64) {
	if !c.reads {
		c.out = binary.AppendVarint(c.out, *n)
		return
	}
	var room [binary.MaxVarintLen64]byte
	v, size := binary.Varint(room[:copy(room[:], c.in)])
	if size <= 0 {
		c.fail()
		return
	}
	*n, c.in = v, c.in[size:]
}

func (c *coder) fail() { c.bad, c.in = true, "" }

func (c *coder) duration(d *time.Duration) { c.number((*int64)(d)) }

// small is a number of 0 to 65535.
func (c *coder) small(n *int) {
	v := int64(*n)
	c.number(&v)
	if v < 0 || v > math.MaxUint16 {
		c.fail()
		v = 0
	}
	*n = int(v)
}

func (c *coder) flag(b *bool) {
	n := 0
	if *b {
		n = 1
	}
	c.small(&n)
	*b = n == 1
}

// time is by the clock on the wall; the zero time stays that.
func (c *coder) time(t *time.Time) {
	set := !t.IsZero()
	c.flag(&set)
	if !set {
		*t = time.Time{}
		return
	}
	seconds, rest := t.Unix(), int64(t.Nanosecond())
	c.number(&seconds)
	c.number(&rest)
	if c.reads {
		if rest < 0 || rest >= int64(time.Second) || seconds < -1<<36 || seconds > 1<<38 { // the years 0 to 9999
			c.fail()
			return
		}
		*t = time.Unix(seconds, rest)
	}
}

func (c *coder) text(s *string) {
	n := int64(len(*s))
	c.number(&n)
	switch {
	case !c.reads:
		c.out = append(c.out, *s...)
	case n < 0 || n > int64(len(c.in)):
		c.fail()
	default:
		*s, c.in = c.in[:n], c.in[n:]
	}
}

func (c *coder) texts(all *[]string) {
	n := c.count(len(*all))
	if c.reads {
		*all = nil
		if n > 0 {
			*all = make([]string, n)
		}
	}
	for i := range *all {
		c.text(&(*all)[i])
	}
}

// mostOf bounds lists, so that none takes much more memory than what it is read from.
const mostOf = 1 << 16

// count is how many follow, of which each takes at least a byte.
func (c *coder) count(n int) int {
	v := int64(n)
	c.number(&v)
	if c.reads && (v < 0 || v > min(mostOf, int64(len(c.in)))) {
		c.fail()
		return 0
	}
	return int(v)
}

func (c *coder) partial(p **policy.Partial) {
	set := *p != nil
	c.flag(&set)
	if !set {
		return
	}
	if c.reads {
		*p = new(policy.Partial)
	}
	c.number(&(*p).Length)
	n := c.count(len((*p).Held))
	if c.reads {
		(*p).Held = make([]policy.ByteRange, n)
	}
	for i := range (*p).Held {
		c.number(&(*p).Held[i].First)
		c.number(&(*p).Held[i].Last)
	}
}
