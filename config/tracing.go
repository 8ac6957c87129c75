package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Tracing sends spans of requests to a collector; without Endpoint there are none.
// Sample (0..1) is the share of requests that are traced.
type Tracing struct {
	Endpoint string  `yaml:"endpoint"`
	Sample   float64 `yaml:"sample"`
}

var defaultTracing = Tracing{Sample: 0.01}

func (t *Tracing) validate(p *problems) {
	if t.Endpoint != "" {
		p.check("tracing.endpoint", checkEndpoint(t.Endpoint))
	}
	if !(t.Sample >= 0 && t.Sample <= 1) {
		p.add("tracing.sample", "%v is out of range; use 0 to 1", t.Sample)
	}
}

// checkEndpoint accepts the URL of a collector.
func checkEndpoint(s string) error {
	if strings.Contains(s, "@") { // not repeated: a password does not belong into logs
		return errors.New("must not hold a user or password; give them in the environment, in OTEL_EXPORTER_OTLP_HEADERS")
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") {
		return fmt.Errorf("%q is not the URL of a collector; write for example http://127.0.0.1:4318", s)
	}
	if err := checkHost(u.Hostname()); err != nil {
		return fmt.Errorf("%q: %w", s, err)
	}
	if port := u.Port(); port != "" {
		return checkPort(port, 1)
	}
	return nil
}
