package config

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// Config is everything that a configuration file can say. The zero value is of
// no use; start from Default, Load or Parse.
type Config struct {
	Origin         string     `yaml:"origin"`
	Listen         string     `yaml:"listen"`
	TLS            TLS        `yaml:"tls"`
	FastLane       bool       `yaml:"fast_lane"`
	Admin          Admin      `yaml:"admin"`
	Profile        string     `yaml:"profile"`
	DrainTimeout   Duration   `yaml:"drain_timeout"`
	Cache          Cache      `yaml:"cache"`
	Snapshot       Snapshot   `yaml:"snapshot"`
	AccessLog      AccessLog  `yaml:"access_log"`
	Tracing        Tracing    `yaml:"tracing"`
	Headers        Headers    `yaml:"headers"`
	TrustedProxies []string   `yaml:"trusted_proxies"`
	PurgeFrom      []string   `yaml:"purge_from"`
	Timeouts       Timeouts   `yaml:"timeouts"`
	Limits         Limits     `yaml:"limits"`
	RateLimit      RateLimit  `yaml:"rate_limit"`
	Retry          Retry      `yaml:"retry"`
	Breaker        Breaker    `yaml:"breaker"`
	Upstreams      []Upstream `yaml:"upstreams"`
	Routes         []Route    `yaml:"routes"`
	Rules          []Rule     `yaml:"rules"`

	src source
}

// TLS is the clients' side over TLS; without Listen there is none. Either it has
// certificates, or SelfSigned lets a development CA make them.
type TLS struct {
	Listen       string        `yaml:"listen"`
	Certificates []Certificate `yaml:"certificates"`
	SelfSigned   bool          `yaml:"self_signed"`
}

// Certificate names two PEM files: a certificate with what stands between it and
// its root, and its key.
type Certificate struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Admin is the operator's side: health and metrics. Listen is "off" for none.
// Objective (above 0, below 1) is the share of requests to be answered without a 5xx.
type Admin struct {
	Listen     string  `yaml:"listen"`
	Token      string  `yaml:"token"`
	DebugToken string  `yaml:"debug_token"`
	Pprof      bool    `yaml:"pprof"`
	Objective  float64 `yaml:"objective"`
}

// Cache bounds the store. MaxObject is bytes, MaxVariants counts per URL. Engine
// chooses what is kept, SizeExponent (0..1) how much size counts in that: gdsf only.
type Cache struct {
	Size         CacheSize `yaml:"size"`
	Engine       string    `yaml:"engine"`
	SizeExponent float64   `yaml:"size_exponent"`
	MaxObject    Size      `yaml:"max_object"`
	MaxVariants  int       `yaml:"max_variants"`
}

// Snapshot is a file that keeps the store over a restart; without File there is none.
// With Every it is also written while the proxy runs; 0 = only when it stops.
type Snapshot struct {
	File  string   `yaml:"file"`
	Every Duration `yaml:"every"`
}

// AccessLog says what is logged and where. Sample counts only in mode sampled.
type AccessLog struct {
	Mode   string `yaml:"mode"`
	Format string `yaml:"format"`
	Sample int    `yaml:"sample"`
	Output string `yaml:"output"`
}

// Headers says which header fields the proxy adds and under which names.
type Headers struct {
	CacheStatus  string `yaml:"cache_status"`
	XCacheStatus bool   `yaml:"x_cache_status"`
	Via          string `yaml:"via"`
	DebugKey     bool   `yaml:"debug_key"`
	ServerTiming bool   `yaml:"server_timing"`
	Underscores  bool   `yaml:"underscores"`
}

// Timeouts bound every wait on the network.
type Timeouts struct {
	Connect        Duration `yaml:"connect"`
	ResponseHeader Duration `yaml:"response_header"`
	ResponseBody   Duration `yaml:"response_body"`
	Exchange       Duration `yaml:"exchange"`
	ReadHeader     Duration `yaml:"read_header"`
	ReadBody       Duration `yaml:"read_body"`
	Idle           Duration `yaml:"idle"`
	Write          Duration `yaml:"write"`
}

// Route sends what matches Host and Path to Origin. Rules apply after the global ones.
type Route struct {
	Host       string `yaml:"host"`
	Path       string `yaml:"path"`
	Origin     string `yaml:"origin"`
	HostHeader string `yaml:"host_header"`
	Rules      []Rule `yaml:"rules"`
}

// Rule overrides how matching traffic is cached. A nil field says nothing; a
// field that is set replaces what an earlier rule said for the same key. In maps
// and nested structs each entry is a key of its own.
type Rule struct {
	Match                Match            `yaml:"match"`
	Bypass               *bool            `yaml:"bypass"`
	TTL                  *Duration        `yaml:"ttl"`
	MinTTL               *Duration        `yaml:"min_ttl"`
	MaxTTL               *Duration        `yaml:"max_ttl"`
	StatusTTL            map[int]Duration `yaml:"status_ttl"`
	Store                map[int]string   `yaml:"store"`
	SetCookie            *string          `yaml:"set_cookie"`
	IgnoreCookies        []string         `yaml:"ignore_cookies"`
	Query                *Query           `yaml:"query"`
	RequestHeaders       *HeaderEdit      `yaml:"request_headers"`
	ResponseHeaders      *HeaderEdit      `yaml:"response_headers"`
	ClientBypass         *string          `yaml:"client_bypass"`
	StaleWhileRevalidate *Duration        `yaml:"stale_while_revalidate"`
	StaleIfError         *Duration        `yaml:"stale_if_error"`
	Targeted             []string         `yaml:"targeted"`
	Heuristic            *Heuristic       `yaml:"heuristic"`
	TypeGuard            *bool            `yaml:"type_guard"`
	Tags                 *Tags            `yaml:"tags"`
}

// Match holds globs, all of which must match; an empty one matches anything.
// In a glob, * is any run of characters (also /) and ? is exactly one.
type Match struct {
	Path string `yaml:"path"`
	Host string `yaml:"host"`
	Type string `yaml:"type"`
}

// Query edits the query before look-up and forwarding. Drop and Keep are globs on names.
type Query struct {
	Drop []string `yaml:"drop"`
	Keep []string `yaml:"keep"`
	Sort *bool    `yaml:"sort"`
}

// HeaderEdit removes and sets header fields; Set replaces what was there.
type HeaderEdit struct {
	Set    map[string]string `yaml:"set"`
	Remove []string          `yaml:"remove"`
}

// Tags says which response fields name tags to purge by, and whether clients see
// them.
type Tags struct {
	Fields []string `yaml:"fields"`
	Keep   *bool    `yaml:"keep"`
}

// Heuristic is the lifetime of a response that names none: Fraction (0..1) of the
// time since Last-Modified, at most Max (RFC 9111, 4.2.2).
type Heuristic struct {
	Fraction *float64  `yaml:"fraction"`
	Max      *Duration `yaml:"max"`
}

// Default returns the configuration of a proxy that was told nothing.
func Default() Config {
	return Config{
		Listen:       ":8080",
		FastLane:     true,
		Admin:        Admin{Listen: "127.0.0.1:8081", Objective: 0.999},
		Profile:      "default",
		DrainTimeout: 30 * second,
		Cache:        Cache{Size: 256 << 20, Engine: "ristretto", SizeExponent: 0.5, MaxObject: defaultMaxObject, MaxVariants: 64},
		AccessLog:    AccessLog{Mode: "sampled", Format: "json", Sample: 100, Output: "stderr"},
		Tracing:      defaultTracing,
		Headers:      Headers{CacheStatus: "cacheproxy"},
		PurgeFrom:    []string{"127.0.0.0/8", "::1"},
		Timeouts: Timeouts{
			Connect:        5 * second,
			ResponseHeader: 60 * second,
			ResponseBody:   60 * second,
			ReadHeader:     10 * second,
			ReadBody:       60 * second,
			Idle:           120 * second,
			Write:          60 * second,
		},
		Limits:    defaultLimits,
		RateLimit: defaultRateLimit,
		Retry:     defaultRetry(),
		Breaker:   defaultBreaker,
	}
}

const defaultMaxObject = 64 << 20

// fitMaxObject keeps the default of cache.max_object to half of a small cache.size.
// A value from the file stays as it is, and Validate judges it.
func (c *Config) fitMaxObject() {
	if c.src.lines["cache.max_object"] == 0 && !c.Cache.Size.isShare() {
		c.Cache.MaxObject = min(defaultMaxObject, Size(c.Cache.Size)/2)
	}
}

// Resolve makes a cache.size that is a share of memory a number of bytes, whole
// MiB; total asks how much memory there is. Before it Validate cannot compare
// sizes.
func (c *Config) Resolve(total func() int64) {
	if c.Cache.Size.isShare() {
		c.Cache.Size = c.Cache.Size.of(total())
		c.fitMaxObject()
	}
}

// AllRoutes returns the effective routes, the most specific first, so that the
// first match is the right one: exact host, then *.host, then any host; among
// equals the longer path first. The short form (Origin) comes last, as route for
// everything. Host is lower case, Path and HostHeader are never empty; Rules are
// the route's own, without the global ones.
func (c Config) AllRoutes() []Route {
	routes := slices.Clone(c.Routes)
	if c.Origin != "" {
		routes = append(routes, Route{Origin: c.Origin})
	}
	for i := range routes {
		r := &routes[i]
		r.Host = strings.ToLower(r.Host)
		r.Path = cmp.Or(r.Path, "/")
		r.HostHeader = cmp.Or(r.HostHeader, "auto")
	}
	slices.SortStableFunc(routes, func(a, b Route) int {
		return cmp.Or(
			cmp.Compare(hostRank(b.Host), hostRank(a.Host)),
			cmp.Compare(len(b.Path), len(a.Path)),
		)
	})
	return routes
}

// hostRank orders host patterns: any, *.host by length, exact.
func hostRank(host string) int {
	if host == "" {
		return 0
	}
	if strings.HasPrefix(host, "*.") {
		return len(host)
	}
	return 1 << 20
}

// TrustedPrefixes returns TrustedProxies parsed; an address is a prefix of its
// full length. Entries that Validate refuses are left out.
func (c Config) TrustedPrefixes() []netip.Prefix { return prefixes(c.TrustedProxies) }

// PurgePrefixes returns PurgeFrom parsed in the same way.
func (c Config) PurgePrefixes() []netip.Prefix { return prefixes(c.PurgeFrom) }

func prefixes(list []string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, s := range list {
		if p, err := parsePrefix(s); err == nil {
			prefixes = append(prefixes, p)
		}
	}
	return prefixes
}
