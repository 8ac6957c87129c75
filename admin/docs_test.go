package admin

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/insight"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

var update = flag.Bool("update", false, "rewrite docs/metrics.md and the expectations in testdata")

const docFile = "../docs/metrics.md"

const docIntro = `# Metrics

What ` + "`/metrics`" + ` on the operator's side (` + "`admin.listen`" + `) reports. Counters begin at zero when the process starts.
Go's and the process's own metrics (` + "`go_*`, `process_*`" + `) come with it; ` + "`go_build_info`" + ` has the version.

This page is made from the descriptions in the code: ` + "`go test ./admin -update`" + `.

`

const docEnd = `
## Questions

Hit ratio, stale answers included:

` + "```" + `
sum(rate(cacheproxy_requests_total{action=~"serve|serve-stale"}[5m])) / sum(rate(cacheproxy_requests_total[5m]))
` + "```" + `

Why requests go to the origin:

` + "```" + `
sum by (reason) (rate(cacheproxy_requests_total{action=~"fetch|validate|pass"}[5m]))
` + "```" + `

Why responses are not stored:

` + "```" + `
sum by (reason) (rate(cacheproxy_responses_refused_total[5m]))
` + "```" + `

Whose errors clients get, and which:

` + "```" + `
sum by (from, status) (rate(cacheproxy_responses_total{status=~"5.."}[5m]))
` + "```" + `

How origins fail:

` + "```" + `
sum by (error) (rate(cacheproxy_origin_failures_total[5m]))
` + "```" + `
`

// registered are all metrics that a proxy reports.
func registered(t *testing.T) (*Metrics, *insight.Insight) {
	in := insight.New(insight.Options{})
	t.Cleanup(in.Close)
	m := NewMetrics(testSources())
	m.Register(in.Collector())
	return m, in
}

// metricsDoc describes every metric of ours that a proxy in use reports.
func metricsDoc(t *testing.T) (text string, names int) {
	m, in := registered(t)
	o := with(miss(), func(o *proxy.Outcome) { o.Refused = policy.Private }) // a child for every label
	m.Observe(o)
	in.Observe(o)
	families, err := m.registry.Gather()
	require.NoError(t, err)
	var b strings.Builder
	b.WriteString(docIntro + "| name | type | labels | meaning |\n|---|---|---|---|\n")
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "cacheproxy_") {
			continue
		}
		names++
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		assert.True(t, strings.HasSuffix(f.GetHelp(), "."), "%s: the help is a sentence", f.GetName())
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()),
			strings.Join(labels, ", "), f.GetHelp())
	}
	return b.String() + docEnd, names
}

func TestDocIsUpToDate(t *testing.T) {
	doc, _ := metricsDoc(t)
	if *update {
		require.NoError(t, os.WriteFile(docFile, []byte(doc), 0o644))
	}
	data, err := os.ReadFile(docFile)
	require.NoError(t, err)
	assert.Equal(t, doc, string(data), "run go test ./admin -update and look at the difference")
}

// A metric that nothing has happened to yet must not be missing from the document.
func TestDocHasEveryDescription(t *testing.T) {
	described := map[string]bool{}
	descs := make(chan *prometheus.Desc, 100)
	m, _ := registered(t)
	go func() { m.registry.Describe(descs); close(descs) }()
	ours := regexp.MustCompile(`fqName: "(cacheproxy_[a-z_]+)"`)
	for d := range descs {
		if found := ours.FindStringSubmatch(d.String()); found != nil {
			described[found[1]] = true
		}
	}
	_, names := metricsDoc(t)
	assert.Len(t, described, names)
	assert.Contains(t, described, "cacheproxy_requests_total")
}
