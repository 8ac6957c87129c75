package main

import (
	"context"
	"slices"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/color"
)

// intervals are what + and - choose from.
var intervals = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}

// looks are those of the terminal's own colours, so that its theme counts.
var looks = [...]tcell.Style{
	plain:  tcell.StyleDefault,
	strong: tcell.StyleDefault.Bold(true),
	faint:  tcell.StyleDefault.Dim(true),
	good:   tcell.StyleDefault.Foreground(color.Green),
	bad:    tcell.StyleDefault.Foreground(color.Red).Bold(true),
}

// monitor shows figures on a screen, anew each time, until it is told to stop.
type monitor struct {
	screen tcell.Screen
	gather func(ctx context.Context, ranking, urls int) (*figures, error)
	view   view
	shown  *figures

	answers chan gathered
	asking  bool
	again   bool // something has changed since it was asked
	due     *time.Timer
}

type gathered struct {
	figures *figures
	err     error
}

// run takes over the screen until a key or the context ends it.
func (m *monitor) run(ctx context.Context) error {
	if err := m.screen.Init(); err != nil {
		return err
	}
	defer m.screen.Fini()
	ctx, cancel := context.WithCancel(ctx)
	m.answers = make(chan gathered, 1)
	m.due = time.NewTimer(m.view.every)
	defer m.due.Stop()
	defer func() {
		cancel()
		if m.asking {
			<-m.answers
		}
	}()
	for {
		m.draw()
		select {
		case <-ctx.Done():
			return nil
		case <-m.due.C:
			if !m.view.paused {
				m.ask(ctx)
			}
		case a := <-m.answers:
			m.take(ctx, a)
		case event := <-m.screen.EventQ():
			if quit := m.handle(ctx, event); quit {
				return nil
			}
		}
	}
}

// ask asks for new figures, unless it is on it.
func (m *monitor) ask(ctx context.Context) {
	if m.asking {
		m.again = true
		return
	}
	m.asking, m.again = true, false
	ranking, urls := m.view.ranking, max(m.view.height, 1)
	go func() {
		f, err := m.gather(ctx, ranking, urls)
		m.answers <- gathered{f, err}
	}()
}

func (m *monitor) take(ctx context.Context, a gathered) {
	m.asking = false
	m.view.failed = a.err
	if a.err == nil {
		m.shown = a.figures
	}
	m.due.Reset(m.view.every)
	if m.again {
		m.ask(ctx)
	}
}

// handle does what a key says. It reports whether that is the end.
func (m *monitor) handle(ctx context.Context, event tcell.Event) (quit bool) {
	switch e := event.(type) {
	case *tcell.EventResize:
		m.screen.Sync()
		m.ask(ctx)
	case *tcell.EventKey:
		switch e.Key() {
		case tcell.KeyCtrlC, tcell.KeyEscape:
			return true
		case tcell.KeyTab:
			m.rank(ctx, (m.view.ranking+1)%len(rankings))
		case tcell.KeyRune:
			return m.press(ctx, e.Str())
		}
	}
	return false
}

func (m *monitor) press(ctx context.Context, key string) (quit bool) {
	switch key {
	case "q":
		return true
	case "p", " ":
		if m.view.paused = !m.view.paused; !m.view.paused {
			m.ask(ctx)
		}
	case "h", "?":
		m.view.help = !m.view.help
	case "s":
		m.rank(ctx, (m.view.ranking+1)%len(rankings))
	case "1", "2", "3", "4":
		m.rank(ctx, int(key[0]-'1'))
	case "+", "=", "-":
		step := 1
		if key == "-" {
			step = -1
		}
		at, _ := slices.BinarySearch(intervals, m.view.every)
		m.view.every = intervals[min(max(at-step, 0), len(intervals)-1)]
		m.due.Reset(m.view.every)
	}
	return false
}

// rank changes the ranking, also while paused.
func (m *monitor) rank(ctx context.Context, ranking int) {
	m.view.ranking = ranking
	m.ask(ctx)
}

func (m *monitor) draw() {
	m.screen.Clear()
	m.view.width, m.view.height = m.screen.Size()
	for y, l := range m.view.lines(m.shown) {
		x := 0
		for _, p := range l {
			for rest := p.text; rest != "" && x < m.view.width; {
				var width int
				rest, width = m.screen.Put(x, y, rest, looks[p.look])
				if width == 0 {
					break
				}
				x += width
			}
		}
	}
	m.screen.Show()
}
