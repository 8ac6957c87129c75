//go:build linux

package soak

import (
	"syscall"
	"time"

	"cacheproxy/internal/siege/rig"
)

// weather is what happens to the proxy beside requests.
type weather struct {
	steps    int
	Restarts int `json:"restarts"` // of the steady origin
	Spells   int `json:"spells"`   // of failures of the moody one
	Signals  int `json:"signals"`  // SIGHUP
	Changes  int `json:"changes"`  // of the configuration's file
	Refusals int `json:"refusals"` // of a broken one
}

const (
	gone  = 700 * time.Millisecond // the steady origin
	spell = 2 * time.Second        // the moody one fails
)

// until makes the weather up to a time. The test itself makes it, so there is none
// in a pause.
func (w *world) until(end time.Time) {
	steps := []func(){w.signal, w.restart, w.rewrite, w.breakFile, w.fail}
	for time.Now().Before(end) {
		steps[w.weather.steps%len(steps)]()
		w.weather.steps++
		time.Sleep(time.Second)
	}
}

func (w *world) restart() {
	w.steady.restart(w.T, gone)
	w.weather.Restarts++
}

func (w *world) fail() {
	w.moody.bad.Store(true)
	time.Sleep(spell)
	w.moody.bad.Store(false)
	w.weather.Spells++
}

const (
	okReloads     = `cacheproxy_config_reloads_total{result="ok"}`
	failedReloads = `cacheproxy_config_reloads_total{result="failed"}`
)

// expect waits until one more reload ended so.
func (w *world) expect(sample string, do func()) {
	before := w.metric(sample)
	do()
	rig.Eventually(w, func() bool { return w.metric(sample) > before }, func() string { return sample + " does not grow:\n" + w.proxy.Said() })
}

func (w *world) metric(sample string) float64 {
	n, err := w.proxy.Metric(sample)
	if err != nil {
		w.Errorf("the operator's side: %s", err)
	}
	return n
}

// signal has the same file read again.
func (w *world) signal() {
	w.expect(okReloads, func() { w.proxy.Signal(w, syscall.SIGHUP) })
	w.weather.Signals++
}

// rewrite changes the file: in turn the size of the store, a rule, and what replaces
// the origins.
func (w *world) rewrite() {
	changes := []config{
		{size: "48MiB"},
		{more: "rules: [{match: {path: \"/static/*\"}, stale_while_revalidate: 1s}]\n"},
		{connect: 4 * time.Second},
		{},
	}
	w.expect(okReloads, func() { w.configure(changes[w.weather.Changes%len(changes)]) })
	w.weather.Changes++
}

// breakFile writes what must be refused, and puts it right again.
func (w *world) breakFile() {
	w.expect(failedReloads, func() { w.configure(config{more: "rules: [{match: {path: \"*\"}, bypas: true}]\n"}) })
	w.weather.Refusals++
	w.expect(okReloads, func() { w.configure(config{}) })
	w.weather.Changes++
}
