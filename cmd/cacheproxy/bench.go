package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cacheproxy/bench/load"
	"cacheproxy/bench/report"
	"cacheproxy/bench/testorigin"
	"cacheproxy/bench/workload"
	"cacheproxy/config"
	"cacheproxy/memory"
)

const benchLong = `bench sends the requests of a workload to a proxy or CDN and reports hit ratio,
latency of hits and misses apart, load on the origin, errors and wrong contents.

  cacheproxy bench                        this proxy, started for the occasion
  cacheproxy bench http://127.0.0.1:8000 --origin-listen 127.0.0.1:9000
                                          a proxy whose origin is 127.0.0.1:9000
  cacheproxy bench https://www.example.com --trace access.log --rate 50
                                          your own site, with its own requests
  cacheproxy bench compare A.json B.json  results side by side

TARGET
  URL is scheme and host. Without it the program starts itself as a proxy with
  the defaults, apart from --cache-size, --cache-engine and what follows --, and
  puts the built-in origin behind it. CACHEPROXY_* of the environment is left out.

WORKLOAD
  --workload is a preset, settings, or a preset and the settings to change: web,
  churn,footprint=4GiB, objects=1000,alpha=1,sizes=fixed:10KiB. The report has all
  settings. The presets are:

PRESETS
  The settings are as follows. A SHARE is from 0, which is off, to 1.

SETTINGS
  --trace sends the requests of a trace (lines of ID SIZE) or an access log
  instead: once from its beginning and without a warm-up, or over and over for as
  long as --duration or --requests say. Left out are methods other than GET and
  HEAD, errors other than 404 and 410, and URLs that a proxy may spell anew.

LOAD
  Closed loop: each of --connections clients sends its next request when the last
  was answered, so a slow target is asked less. With --rate, open loop: requests
  are due at fixed times, and latency counts from then. With --http2, up to 32
  clients share a connection.

ORIGIN
  The built-in origin has every object that a workload asks for. It counts what
  reaches it, which is the true hit ratio, and contents are checked against it.
  --origin-listen starts it where your proxy looks for its origin; 'cacheproxy
  bench origin' runs it on another machine, for --origin-stats. Without either,
  the response fields must tell: Cache-Status, X-Cache, CF-Cache-Status and
  others like them. To measure stale and revalidated answers, let its objects
  expire: --origin-cache-control 'max-age=1, stale-while-revalidate=60'.

Ctrl-C ends the run, with a report; the second one ends it at once. Exit status: 0;
1 if requests failed, contents were wrong or a file could not be read or written;
2 for wrong usage.`

// benchFlags are the flags of bench as they were given.
type benchFlags struct {
	workload, trace    string
	seed               uint64
	reseeded           bool // --seed was given
	rate               float64
	connections        int
	duration, timeout  time.Duration
	requests           int64
	warmup             string
	http2, insecure    bool
	ca                 string
	originListen       string
	originStats        string
	origin             testorigin.Options
	pid                int
	cacheSize, engine  string
	check, compare     bool
	jsonFile, htmlFile string
}

func benchCommand() *cobra.Command {
	f := new(benchFlags)
	cmd := &cobra.Command{
		Use:   "bench [URL] [flags] [-- FLAGS OF THE PROXY]",
		Short: "Test the load and the hit ratio of a proxy or CDN",
		Long:  strings.NewReplacer("PRESETS\n", presetLines(), "SETTINGS\n", workload.Manual()+"\n").Replace(benchLong),
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.compare {
				return compareRuns(args, f.htmlFile, cmd.OutOrStdout())
			}
			return bench(cmd, f, args)
		},
	}
	f.add(cmd)
	cmd.AddCommand(benchCompareCommand(), benchOriginCommand(), benchSizeCommand())
	return cmd
}

// presetLines are the presets as the help shows them.
func presetLines() string {
	var b strings.Builder
	for _, p := range workload.Presets() {
		fmt.Fprintf(&b, "  %-8s%s\n", p.Name, p.Meaning)
	}
	return b.String() + "\n"
}

func (f *benchFlags) add(cmd *cobra.Command) {
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVarP(&f.workload, "workload", "w", "web", "`SPEC` of the requests: a preset, settings, or both")
	set.StringVar(&f.trace, "trace", "", "send the requests of this trace or access log `FILE` instead; - is standard input")
	set.Uint64Var(&f.seed, "seed", 1, "another `N`: other requests of the same kind")
	set.Float64Var(&f.rate, "rate", 0, "open loop: `N` requests per second")
	set.IntVarP(&f.connections, "connections", "c", 32, "`N` requests at a time")
	set.DurationVarP(&f.duration, "duration", "d", 10*time.Second, "`TIME` to measure")
	set.Int64VarP(&f.requests, "requests", "n", 0, "measure `N` requests, however long they take unless --duration is given too")
	set.StringVar(&f.warmup, "warmup", "3s", "`TIME or N` requests before the counters start")
	set.DurationVar(&f.timeout, "timeout", 10*time.Second, "most `TIME` for a request")
	set.BoolVar(&f.http2, "http2", false, "HTTP/2: over TLS, or in clear with prior knowledge")
	set.BoolVar(&f.insecure, "insecure", false, "accept any certificate")
	set.StringVar(&f.ca, "ca", "", "accept certificates signed by those in this `FILE`, PEM")
	set.StringVar(&f.originListen, "origin-listen", "", "start the built-in origin at this `ADDR`")
	set.StringVar(&f.originStats, "origin-stats", "", "`URL` of a built-in origin in another process, to ask its counters")
	set.DurationVar(&f.origin.Latency, "origin-latency", 0, "`TIME` that the built-in origin takes for an answer")
	set.StringVar(&f.origin.CacheControl, "origin-cache-control", testorigin.DefaultCacheControl, "`VALUE` of Cache-Control in its answers")
	set.IntVar(&f.pid, "pid", 0, "watch memory and CPU of the process `PID` and its children (Linux)")
	set.StringVar(&f.cacheSize, "cache-size", "", "`SIZE` of our proxy's cache; with a URL: of the target's, drawn beside the memory of --pid")
	set.StringVar(&f.engine, "cache-engine", "", "`NAME` of our proxy's cache engine")
	set.BoolVar(&f.check, "check", true, "compare contents with those of the built-in origin, if there is one")
	set.StringVar(&f.jsonFile, "json", "", "write the result to this `FILE`, for compare")
	set.StringVar(&f.htmlFile, "html", "", "write the report to this `FILE` as a web page")
	set.BoolVar(&f.compare, "compare", false, "compare files of --json: the same as 'bench compare'")
}

// validate refuses flags that contradict each other, and sets what follows from
// those that were given.
func (f *benchFlags) validate(cmd *cobra.Command, target string, extra []string) error {
	given := cmd.Flags().Changed
	switch {
	case f.trace != "" && (given("workload") || given("seed")):
		return errors.New("--trace says what to send, so --workload and --seed have no meaning")
	case target == "" && (f.originListen != "" || f.originStats != "" || f.pid != 0):
		return errors.New("--origin-listen, --origin-stats and --pid are about another proxy: say its URL")
	case f.originListen != "" && f.originStats != "":
		return errors.New("--origin-listen and --origin-stats exclude each other: the origin is here or there")
	case target != "" && f.originListen == "" && (given("origin-latency") || given("origin-cache-control")):
		return errors.New("--origin-latency and --origin-cache-control need the built-in origin here: give --origin-listen")
	case target != "" && f.originListen == "" && f.originStats == "" && given("check") && f.check:
		return errors.New("--check knows the contents of the built-in origin only: give --origin-listen or --origin-stats")
	case target != "" && (f.engine != "" || len(extra) > 0):
		return errors.New("--cache-engine and what follows -- are for our own proxy, which is not started when there is a URL")
	case f.insecure && f.ca != "":
		return errors.New("--insecure and --ca exclude each other")
	case (f.insecure || f.ca != "") && !secure(target):
		return errors.New("--insecure and --ca are about certificates: they need an https URL as the target")
	case f.requests < 0:
		return fmt.Errorf("--requests: %d is less than nothing", f.requests)
	case f.requests == 0 && given("requests"):
		return errors.New("--requests: 0 is nothing to measure")
	case f.duration <= 0 && given("duration"):
		return fmt.Errorf("--duration: %s is no time", f.duration)
	case target != "" && f.cacheSize != "" && f.pid == 0:
		return errors.New("--cache-size with a URL is drawn beside the memory of --pid: give that too")
	}
	f.reseeded = given("seed")
	once := f.trace != "" && !given("duration") && !given("requests")
	if f.requests > 0 && !given("duration") || once {
		f.duration = 0
	}
	if once && !given("warmup") {
		f.warmup = "0s"
	}
	return nil
}

// secure reports whether a target has certificates. One that is no URL is
// refused for that, later.
func secure(target string) bool {
	u, err := parseTarget(target)
	return target != "" && (err != nil || u.Scheme == "https")
}

// writable refuses files in directories that are not there, which would be found
// out when all is measured.
func (f *benchFlags) writable() error {
	for _, file := range []string{f.jsonFile, f.htmlFile} {
		if _, err := os.Stat(filepath.Dir(file)); err != nil {
			return fmt.Errorf("--json and --html: %w", err)
		}
	}
	return nil
}

// measured is the measured part. A trace without limits has as many requests as
// it has.
func (f *benchFlags) measured(traced int64) load.Part {
	p := load.Part{Requests: f.requests, Duration: f.duration}
	if p == (load.Part{}) {
		p.Requests = traced
	}
	return p
}

// parseWarmup reads a time or a number of requests.
func parseWarmup(s string) (load.Part, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return load.Part{Requests: n}, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return load.Part{}, fmt.Errorf("--warmup: %q is neither a time such as 3s nor a number of requests", s)
	}
	return load.Part{Duration: d}, nil
}

// parseTarget reads the URL of a target.
func parseTarget(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not a target; write http://HOST or https://HOST", s)
	}
	return u, nil
}

// bound is what the watched proxy may take, as far as that is known. It checks
// the flags that say so.
func (f *benchFlags) bound(ours bool, extra []string) (b report.Bound, err error) {
	if !ours {
		if f.cacheSize == "" {
			return b, nil
		}
		n, err := config.ParseSize(f.cacheSize)
		if err != nil {
			return b, fmt.Errorf("--cache-size: %w", err)
		}
		return report.Bound{Name: "size of the cache", Bytes: int64(n)}, nil
	}
	c := config.Default()
	if f.cacheSize != "" {
		if err := c.Set("cache.size", f.cacheSize); err != nil {
			return b, fmt.Errorf("--cache-size: %w", err)
		}
	}
	if f.engine != "" {
		if err := c.Set("cache.engine", f.engine); err != nil {
			return b, fmt.Errorf("--cache-engine: %w", err)
		}
	}
	if len(extra) > 0 { // which may say another size
		return b, nil
	}
	c.Resolve(memory.Available)
	return report.Bound{Name: "most that it may take", Bytes: memory.Bound(int64(c.Cache.Size))}, nil
}
