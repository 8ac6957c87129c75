package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"cacheproxy/bench/load"
)

// plainEvery is how often a line of progress is written where no bar can be.
const plainEvery = 10 * time.Second

// progress tells how a run goes on: as a bar on a terminal, otherwise in lines.
type progress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar // nil without a terminal
	last time.Time
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, last: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(1000, progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(16),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
	}
	return p
}

// show shows what is known now.
func (p *progress) show(now load.Progress) {
	text := fmt.Sprintf("%-8s  %7.0f requests/s  hits %s  errors %d", now.Part, now.PerSec, ratioText(now.Ratio), now.Errors)
	if p.bar != nil {
		p.bar.Describe(text)
		_ = p.bar.Set(int(1000 * min(now.Done, 0.999))) // end finishes it
		return
	}
	if time.Since(p.last) >= plainEvery {
		p.last = time.Now()
		fmt.Fprintf(p.out, "%3.0f %%  %s\n", 100*now.Done, text)
	}
}

func ratioText(ratio float64) string {
	if ratio < 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*ratio)
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
