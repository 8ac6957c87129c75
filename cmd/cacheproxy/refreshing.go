package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"cacheproxy/admin"
	"cacheproxy/proxy"
)

// refreshBatch is how many URLs are sent in one request, of at most refreshBytes.
const (
	refreshBatch = 1000
	refreshBytes = 8 << 20
)

// refreshing are URLs that are being fetched.
type refreshing struct {
	client  *adminClient
	rq      admin.RefreshRequest
	total   int
	out     io.Writer
	tellAll bool
	bar     *progressbar.ProgressBar // nil without a terminal

	done, fresh, stored, refused, failed int // URLs, then variants
	bytes                                int64
}

// all fetches all, and sums up. The error says what is left to do.
func (r *refreshing) all(ctx context.Context, urls []string, stderr io.Writer) error {
	start := time.Now()
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		r.bar = progressbar.NewOptions(r.total, progressbar.OptionSetWriter(stderr), progressbar.OptionSetWidth(24),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
	}
	var err error
	for len(urls) > 0 && err == nil {
		n, size := 0, 0
		for n < len(urls) && n < refreshBatch && (n == 0 || size+len(urls[n]) <= refreshBytes) {
			size += len(urls[n])
			n++
		}
		err = r.batch(ctx, urls[:n])
		urls = urls[n:]
	}
	if r.bar != nil {
		_ = r.bar.Clear()
	}
	if err == nil || r.done > 0 {
		fmt.Fprintln(r.out, r.summary(time.Since(start)))
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted after %d of %d URLs", r.done, r.total)
	case r.done == 0 && err != nil:
		return err
	case err != nil:
		return fmt.Errorf("after %d of %d URLs: %w", r.done, r.total, err)
	case r.failed > 0:
		return fmt.Errorf("%d could not be fetched", r.failed)
	}
	return nil
}

// batch fetches some.
func (r *refreshing) batch(ctx context.Context, urls []string) error {
	r.rq.URLs = urls
	resp, err := r.client.post(ctx, "/api/refresh", r.rq)
	if err != nil {
		return err
	}
	complete := false
	err = eachLine(resp, func(line admin.RefreshLine) error {
		complete = line.Done
		if line.RefreshResult != nil {
			r.take(line)
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("%s stopped answering: %w", r.client.addr, err)
	case !complete:
		return errors.New(r.client.addr + " stopped answering before the end")
	}
	return nil
}

// take counts a URL that is done, and tells of it.
func (r *refreshing) take(line admin.RefreshLine) {
	r.done++
	if line.Error != "" {
		r.failed++
		r.tell("%s", line.Error)
	}
	if line.Fresh {
		r.fresh++
	}
	for _, v := range line.Variants {
		r.bytes += v.Bytes
		text := variantText(line.URL, v)
		switch {
		case v.Error != "" || v.Status >= 500:
			r.failed++
			r.tell("%s", text)
		case !v.Stored:
			r.refused++
			r.tell("%s", text)
		default:
			r.stored++
			if r.tellAll {
				r.tell("%s", text)
			}
		}
	}
	if r.bar != nil {
		_ = r.bar.Add(1)
	}
}

// tell writes a line above the bar.
func (r *refreshing) tell(format string, args ...any) {
	if r.bar != nil {
		_ = r.bar.Clear()
	}
	fmt.Fprintln(r.out, inert(fmt.Sprintf(format, args...)))
}

// variantText tells of a variant in a line.
func variantText(url string, v proxy.RefreshVariant) string {
	var b strings.Builder
	switch {
	case v.Error != "":
		fmt.Fprintf(&b, "failed      %s: %s", url, v.Error)
		if v.Status != 0 {
			fmt.Fprintf(&b, " (status %d)", v.Status)
		}
	case v.Stored:
		fmt.Fprintf(&b, "stored      %s (status %d, %s, %.0f ms)", url, v.Status, sizeText(v.Bytes), 1000*v.Seconds)
	default:
		fmt.Fprintf(&b, "not stored  %s (status %d): %s", url, v.Status, v.Reason)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Fields)) {
		fmt.Fprintf(&b, "; %s: %s", name, v.Fields[name])
	}
	return b.String()
}

func (r *refreshing) summary(took time.Duration) string {
	text := fmt.Sprintf("%d of %d URLs: %d stored", r.done, r.total, r.stored)
	for _, part := range []struct {
		n    int
		word string
	}{{r.fresh, "fresh already"}, {r.refused, "not stored"}, {r.failed, "failed"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.word)
		}
	}
	return text + fmt.Sprintf("; %s in %s", sizeText(r.bytes), took.Round(10*time.Millisecond))
}

// sizeText is a number of bytes to read.
func sizeText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	size, unit := float64(n), 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}
