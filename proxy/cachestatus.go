package proxy

import (
	"strconv"
	"time"

	"cacheproxy/policy"
)

// cacheStatus writes this cache's member of Cache-Status (RFC 9211, 2).
func (o *Outcome) cacheStatus(c *Config) string {
	return string(o.appendCacheStatus(make([]byte, 0, 96), c))
}

func (o *Outcome) appendCacheStatus(b []byte, c *Config) []byte {
	b = append(b, c.Name...)
	if fwd := o.fwd(); fwd == "" {
		b = append(b, "; hit"...)
	} else {
		b = append(b, "; fwd="...)
		b = append(b, fwd...)
		if o.FwdStatus > 0 {
			b = append(b, "; fwd-status="...)
			b = strconv.AppendInt(b, int64(o.FwdStatus), 10)
		}
	}
	if o.HasTTL {
		b = append(b, "; ttl="...)
		b = strconv.AppendInt(b, floorSeconds(o.TTL), 10)
	}
	if o.Stored {
		b = append(b, "; stored"...)
	}
	if o.Collapsed {
		b = append(b, "; collapsed"...)
	}
	if c.DebugKey && o.Key != "" {
		b = append(b, `; key="`...)
		b = appendQuoted(b, o.Key)
		b = append(b, '"')
	}
	if d := o.detail(); d != "" {
		b = append(b, "; detail="...)
		b = append(b, d...)
	}
	return b
}

// fwd is why the request went forward, or empty for a hit.
func (o *Outcome) fwd() string {
	if o.Action == policy.Serve {
		return ""
	}
	return o.Reason.Info().Fwd // of stale answers, those after a failure did go forward
}

// detail is the reason, where it says more than the other parameters do.
func (o *Outcome) detail() string {
	if o.Refused != policy.ReasonNone && o.Action != policy.Pass {
		return o.Refused.String()
	}
	if info := o.Reason.Info(); o.Reason != policy.Fresh && info.Name != info.Fwd {
		return info.Name
	}
	return ""
}

// floorSeconds cuts a lifetime to whole seconds, downward also when negative.
func floorSeconds(d time.Duration) int64 {
	s := int64(d / time.Second)
	if d < 0 && d%time.Second != 0 {
		s--
	}
	return s
}

// appendQuoted escapes for a structured string; what it cannot hold becomes "?".
func appendQuoted(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c > 0x7e:
			b = append(b, '?')
		default:
			b = append(b, c)
		}
	}
	return b
}
