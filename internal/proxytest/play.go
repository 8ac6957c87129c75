package proxytest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"cacheproxy/proxy"
)

// patience is how long, in virtual time, an answer may take to be complete.
const patience = time.Hour

// Play plays a script and returns the outcomes of its requests. It must be
// called in a synctest bubble. The error names the line of the first statement
// that did not hold, after the name of the file.
func Play(file, text string) ([]proxy.Outcome, error) {
	outcomes, _, err := play(file, text, false)
	return outcomes, err
}

func play(file, text string, traced bool) ([]proxy.Outcome, string, error) {
	statements, err := parse(text)
	w := newWorld()
	w.traced = traced
	for _, s := range statements {
		if err != nil {
			break
		}
		if err = w.play(s); err != nil {
			err = lineError(s.line, "%s: %s", s.verb, err)
		}
	}
	w.close()
	synctest.Wait()
	if err != nil {
		err = fmt.Errorf("%s:%w", file, err)
	}
	return w.outcomes, w.transcript(), err
}

// verbs are the statements.
var verbs map[string]func(*world, []string) error

func init() { // not in the declaration, where parse would refer to itself
	verbs = map[string]func(*world, []string) error{
		"config": (*world).config, "origin": (*world).answers, "clock": (*world).clock,
		"client": (*world).ask, "start": (*world).begin, "wait": (*world).await,
		"peek": (*world).peek, "reads": (*world).readOn, "send": (*world).send, "leave": (*world).leave,
	}
}

func (w *world) play(s statement) error {
	if len(s.cols) == 0 {
		return errors.New("nothing after it")
	}
	if s.verb != "config" {
		if err := w.open(); err != nil {
			return err
		}
	}
	err := verbs[s.verb](w, s.cols)
	synctest.Wait()
	if unknown := w.origin.unanswered(); unknown != nil {
		return fmt.Errorf("no origin statement fits the request %s", strings.Join(unknown, ", "))
	}
	return err
}

func (w *world) config(cols []string) error {
	if err := w.setup.add(cols); err != nil {
		return err
	}
	if w.proxy != nil {
		w.proxy.SetConfig(w.setup.config(upstream{w.upstream, w.origin}))
		w.fetcher.SetLimits(w.setup.maxObject, w.setup.maxVariants)
	}
	return nil
}

// answers is the origin statement.
func (w *world) answers(cols []string) error {
	word, rest, _ := strings.Cut(cols[0], " ")
	switch word {
	case "saw":
		synctest.Wait()
		return w.origin.checkSaw(rest, w.expandAll(cols[1:]))
	case "dropped":
		w.origin.mu.Lock()
		defer w.origin.mu.Unlock()
		if got := fmt.Sprint(w.origin.dropped); got != rest {
			return fmt.Errorf("expected %s answers dropped, got %s", rest, got)
		}
		return nil
	case "down", "up":
		w.origin.setDown(word == "down")
		w.origin.setRefusal(nil)
		return nil
	case "busy", "unavailable":
		return w.origin.refuse(word, rest)
	}
	a, err := newAnswer(cols)
	if err != nil {
		return err
	}
	w.origin.mu.Lock()
	defer w.origin.mu.Unlock()
	w.origin.answers = append(w.origin.answers, a)
	return nil
}

func (w *world) expandAll(cols []string) []string {
	out := make([]string, len(cols))
	for i, col := range cols {
		out[i] = w.expand(col)
	}
	return out
}

func (w *world) clock(cols []string) error {
	d, err := time.ParseDuration(cols[0])
	if err != nil || d <= 0 || cols[0][0] != '+' {
		return fmt.Errorf("%q: want a duration such as +11s", cols[0])
	}
	time.Sleep(d)
	return nil
}

// ask is the client statement: a request and its whole answer.
func (w *world) ask(cols []string) error {
	at := slices.IndexFunc(cols, isExpect)
	if at < 0 {
		return errors.New("no expect; use start for a request whose answer comes later")
	}
	x, err := w.send1(cols[:at])
	if err != nil {
		return err
	}
	return w.finish(x, cols[at:])
}

func isExpect(col string) bool { return col == "expect" || strings.HasPrefix(col, "expect ") }

// send1 sends one request, on the connection of the name that may come first.
func (w *world) send1(cols []string) (*exchange, error) {
	name := ""
	if len(cols) > 0 && !strings.Contains(cols[0], " ") {
		name, cols = cols[0], cols[1:]
	}
	if len(cols) == 0 {
		return nil, errors.New("no request; want a method and a target")
	}
	rq, err := newRequest(cols)
	if err != nil {
		return nil, err
	}
	return w.connect(name, rq.from).ask(rq, w), nil
}

// finish waits for the end of an answer and judges it.
func (w *world) finish(x *exchange, expect []string) error {
	x.release()
	select {
	case <-x.done:
	case <-time.After(patience):
		return fmt.Errorf("no complete answer within %v", patience)
	}
	synctest.Wait()
	return x.expects(expect, w, true)
}

func (w *world) begin(cols []string) error {
	if slices.ContainsFunc(cols, isExpect) {
		return errors.New("start does not wait for an answer; say what to expect with wait or peek")
	}
	if strings.Contains(cols[0], " ") {
		return fmt.Errorf("%q: want the client's name first", cols[0])
	}
	_, err := w.send1(cols)
	return err
}

// named returns the client of a statement's first column.
func (w *world) named(name string) (*client, error) {
	c := w.clients[name]
	if c == nil || len(c.asked) == 0 {
		return nil, fmt.Errorf("%s has not asked for anything", name)
	}
	return c, nil
}

func (w *world) await(cols []string) error { return w.judge(cols, w.finish) }

func (w *world) peek(cols []string) error {
	return w.judge(cols, func(x *exchange, expect []string) error {
		synctest.Wait()
		return x.expects(expect, w, false)
	})
}

func (w *world) judge(cols []string, how func(*exchange, []string) error) error {
	c, err := w.named(cols[0])
	if err != nil {
		return err
	}
	if len(cols) < 2 || !isExpect(cols[1]) {
		return errors.New("no expect after the name")
	}
	return how(c.last(), cols[1:])
}

// readOn lets a client that takes no more go on a little.
func (w *world) readOn(cols []string) error {
	c, err := w.named(cols[0])
	if err != nil {
		return err
	}
	if len(cols) != 2 {
		return errors.New("want a name and a number of bytes")
	}
	n, err := strconv.Atoi(cols[1])
	if err != nil {
		return fmt.Errorf("%q: want a number of bytes", cols[1])
	}
	c.last().allow(n)
	return nil
}

func (w *world) send(cols []string) error {
	c, err := w.named(cols[0])
	if err != nil {
		return err
	}
	c.send([]byte(w.expand(escapes.Replace(strings.Join(cols[1:], "  ")))))
	return nil
}

func (w *world) leave(cols []string) error {
	c, err := w.named(cols[0])
	if err != nil {
		return err
	}
	c.conn.Close()
	c.last().release()
	return nil
}
