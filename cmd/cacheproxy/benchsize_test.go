package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/simulate"
	"cacheproxy/cache"
)

// sizeCommand runs bench size and returns what it prints.
func sizeCommand(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd := benchSizeCommand()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err = cmd.ExecuteContext(ctx)
	return out.String(), errs.String(), err
}

// siteLog is an access log of rounds times objects lines: each object is asked
// for once a round, and has 64 KiB.
func siteLog(t *testing.T, rounds, objects int) string {
	t.Helper()
	var b strings.Builder
	for i := range rounds * objects {
		fmt.Fprintf(&b, `192.0.2.7 - - [29/Feb/2024:13:14:15 +0100] "GET /%d HTTP/1.1" 200 65536 "-" "-"`+"\n", i%objects)
	}
	path := filepath.Join(t.TempDir(), "access.log")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

func TestBenchSize(t *testing.T) {
	path := siteLog(t, 4, 100)
	text, stderr, err := sizeCommand(t.Context(), path)
	require.NoError(t, err)
	assert.Empty(t, stderr, "no progress without a terminal")
	assert.Contains(t, text, "400 requests for 100 objects, 0.0% of which were asked for once.")
	assert.Regexp(t, `unlimited +75\.0% +75\.0% +100 +6\.2MiB +75\.0%`, text)
	assert.Regexp(t, `\n *8MiB +75\.0% +75\.0% +100 +6\.2MiB +75\.0%`, text)
	for _, e := range cache.Engines() {
		assert.Contains(t, text, string(e)+": 8MiB is enough; it gets 100.0% of the hits that any size could.")
	}
	for _, line := range strings.Split(text, "\n") {
		assert.LessOrEqual(t, len(line), 80, line)
		assert.Equal(t, strings.TrimRight(line, " "), line)
	}

	text, _, err = sizeCommand(t.Context(), "--sizes", "16MiB,1MiB,16MiB", "--cache-engine", "gdsf", path)
	require.NoError(t, err)
	assert.NotContains(t, text, "ristretto")
	assert.Len(t, regexp.MustCompile(`(?m)^ *\d+MiB `).FindAllString(text, -1), 2)

	text, _, err = sizeCommand(t.Context(), "--sizes", "1MiB", "--cache-engine", "gdsf", path)
	require.NoError(t, err)
	assert.Contains(t, text, "gdsf: 1MiB is not enough; it gets only ")
}

func TestBenchSizeJSON(t *testing.T) {
	text, _, err := sizeCommand(t.Context(), "--json", siteLog(t, 2, 10))
	require.NoError(t, err)
	var got simulate.Sizing
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&got))
	assert.Equal(t, int64(20), got.Requests)
	assert.InDelta(t, 0.5, got.Unlimited.HitRatio, 1e-9)
	assert.Len(t, got.Answers, len(cache.Engines()))
	for _, a := range got.Answers {
		// The help says about 200.
		assert.InDelta(t, 200, a.EntryBytes-simulate.Bookkeeping, 100)
	}
}

func TestBenchSizeUsage(t *testing.T) {
	path := siteLog(t, 1, 1)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{nil, "name an access log or a trace"},
		{[]string{"--sizes", "1KiB", path}, "--sizes: cache.size: 1KiB is out of range"},
		{[]string{"--sizes", "lots", path}, `--sizes: "lots" is not a size`},
		{[]string{"--sizes", "50%", path}, `--sizes: unknown unit "%"`},
		{[]string{"--cache-engine", "lru", path}, `--cache-engine: "lru" is none of [ristretto gdsf]`},
	} {
		_, _, err := sizeCommand(t.Context(), tc.args...)
		require.ErrorContains(t, err, tc.want)
		assert.True(t, errors.As(err, new(usageError)), err)
	}
}

func TestBenchSizeStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err := sizeCommand(ctx, siteLog(t, 1, 1))
	assert.ErrorIs(t, err, context.Canceled)
}

func TestGroupedAndAbout(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567"} {
		assert.Equal(t, want, grouped(n))
	}
	for n, want := range map[int64]string{0: "0B", 1023: "1023B", 1024: "1.0KiB", 1 << 20: "1.0MiB", 3 << 29: "1.5GiB", 1 << 62: "4096.0PiB"} {
		assert.Equal(t, want, about(n))
	}
}
