package config

import "strings"

// Limits bound what clients can take, and what is asked of origins. Zero is none,
// where a limit may be absent.
type Limits struct {
	Connections       int      `yaml:"connections"`
	ClientConnections int      `yaml:"client_connections"`
	HeaderSize        Size     `yaml:"header_size"`
	HeaderFields      int      `yaml:"header_fields"`
	URISize           Size     `yaml:"uri_size"`
	RequestBody       Size     `yaml:"request_body"`
	Requests          int      `yaml:"requests"`
	ClientRequests    int      `yaml:"client_requests"`
	TargetRequests    int      `yaml:"target_requests"`
	Queue             int      `yaml:"queue"`
	QueueTime         Duration `yaml:"queue_time"`
	Adaptive          bool     `yaml:"adaptive"`
}

var defaultLimits = Limits{
	Connections:       16384,
	ClientConnections: 4096,
	HeaderSize:        64 << 10,
	HeaderFields:      256,
	URISize:           16 << 10,
	RequestBody:       1 << 30,
	Requests:          8192,
	ClientRequests:    512,
	TargetRequests:    1024,
	Queue:             1024,
	QueueTime:         5 * second,
	Adaptive:          true,
}

// RateLimit bounds the requests a second of each client. Rate 0 is none. By is
// "address", or the name of a field.
type RateLimit struct {
	Rate    float64 `yaml:"rate"`
	Burst   int     `yaml:"burst"`
	By      string  `yaml:"by"`
	Clients int     `yaml:"clients"`
}

var defaultRateLimit = RateLimit{Burst: 100, By: "address", Clients: 65536}

func (l *Limits) validate(p *problems) {
	for _, c := range []struct {
		key                string
		n, least, greatest int64
	}{
		{"connections", int64(l.Connections), 0, 1 << 20},
		{"client_connections", int64(l.ClientConnections), 0, 1 << 20},
		{"header_fields", int64(l.HeaderFields), 16, 4096},
		{"requests", int64(l.Requests), 0, 1 << 20},
		{"client_requests", int64(l.ClientRequests), 0, 1 << 20},
		{"target_requests", int64(l.TargetRequests), 0, 1 << 20},
		{"queue", int64(l.Queue), 0, 1 << 20},
	} {
		if c.n < c.least || c.n > c.greatest {
			p.add("limits."+c.key, "%d is out of range; use %d to %d", c.n, c.least, c.greatest)
		}
	}
	p.check("limits.header_size", checkSize(l.HeaderSize, 4<<10, 1<<20))
	p.check("limits.uri_size", checkSize(l.URISize, 1<<10, 1<<20))
	p.check("limits.request_body", checkSize(l.RequestBody, 0, 1<<50))
	p.check("limits.queue_time", checkDuration(l.QueueTime, 0, maxWait))
	if l.URISize > l.HeaderSize {
		p.add("limits.uri_size", "%s is more than limits.header_size (%s), of which it is a part; lower it", l.URISize, l.HeaderSize)
	}
}

func (r *RateLimit) validate(p *problems) {
	if !(r.Rate >= 0 && r.Rate <= 1e6) {
		p.add("rate_limit.rate", "%v is out of range; use 0 (none) to 1000000 requests a second", r.Rate)
	}
	if r.Burst < 1 || r.Burst > 1_000_000 {
		p.add("rate_limit.burst", "%d is out of range; use 1 to 1000000", r.Burst)
	}
	if r.Clients < 1024 || r.Clients > 1<<24 {
		p.add("rate_limit.clients", "%d is out of range; use 1024 to %d", r.Clients, 1<<24)
	}
	if !isToken(r.By) {
		p.add("rate_limit.by", "%q is neither address nor the name of a field", r.By)
	}
	if strings.EqualFold(r.By, "host") {
		p.add("rate_limit.by", "%q does not name a client; write address, or another field", r.By)
	}
}
