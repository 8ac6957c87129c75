package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"cacheproxy/admin"
	"cacheproxy/snapshot"
)

// snapshotCommand saves and loads what a running proxy has stored.
func snapshotCommand(env func(string) (string, bool)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "snapshot",
		Short: "Save what a proxy has stored to a file, or load it",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError{errors.New("say what to do: snapshot save FILE, or snapshot load FILE")}
		},
	}
	for _, sub := range []struct {
		use, short string
		do         func(context.Context, *adminClient, string, *cobra.Command) error
	}{
		{"save FILE", "Save what the proxy has stored to a file that only you can read", saveSnapshot},
		{"load FILE", "Load a file beside what the proxy has stored", loadSnapshot},
	} {
		c := &cobra.Command{
			Use: sub.use, Short: sub.short,
			RunE: func(cmd *cobra.Command, args []string) error {
				if len(args) != 1 {
					return usageError{errors.New("name one file")}
				}
				client, err := newAdminClient(cmd, env)
				if err != nil {
					return err
				}
				ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
				defer stop()
				return sub.do(ctx, client, args[0], cmd)
			},
		}
		addAdminFlags(c)
		cmd.AddCommand(c)
	}
	return cmd
}

func saveSnapshot(ctx context.Context, client *adminClient, path string, cmd *cobra.Command) error {
	start := time.Now()
	resp, err := client.send(ctx, http.MethodGet, "/api/snapshot", "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	bar := transferBar(cmd.ErrOrStderr(), -1)
	defer bar.done()
	err = snapshot.WriteFile(path, func(w io.Writer) error {
		if _, err := io.Copy(io.MultiWriter(w, bar), resp.Body); err != nil {
			return fmt.Errorf("the snapshot from %s broke off, and nothing is saved: %w", client.addr, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	bar.done()
	var saved snapshot.Saved
	if err := json.Unmarshal([]byte(resp.Trailer.Get(admin.SavedTrailer)), &saved); err != nil {
		return fmt.Errorf("%s did not say what it saved: %w", client.addr, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "saved %d entries, %s, in %s\n", saved.Entries, sizeText(saved.Bytes), time.Since(start).Round(10*time.Millisecond))
	return nil
}

func loadSnapshot(ctx context.Context, client *adminClient, path string, cmd *cobra.Command) error {
	start := time.Now()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	// A file that is none is refused here, before all of it is sent.
	if _, err := snapshot.NewReader(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	bar := transferBar(cmd.ErrOrStderr(), info.Size())
	defer bar.done()
	resp, err := client.send(ctx, http.MethodPost, "/api/snapshot", admin.SnapshotType, io.TeeReader(f, bar))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var loaded snapshot.Loaded
	if err := json.NewDecoder(resp.Body).Decode(&loaded); err != nil {
		return fmt.Errorf("%s did not say what it loaded: %w", client.addr, err)
	}
	bar.done()
	fmt.Fprintf(cmd.OutOrStdout(), "loaded %s in %s\n", loadedText(loaded), time.Since(start).Round(10*time.Millisecond))
	return nil
}

// loadedText tells what became of a snapshot.
func loadedText(l snapshot.Loaded) string {
	text := fmt.Sprintf("%d entries, %s, saved %s", l.Entries, sizeText(l.Bytes), l.Saved.UTC().Format(time.RFC3339))
	for _, part := range []struct {
		n    int64
		word string
	}{
		{l.Expired, "had expired"}, {l.Purged, "were purged since"}, {l.Older, "were there already, as new or newer"}, {l.Refused, "are beyond the limits of this proxy"},
		{l.Invalid, "are not what it would store"}, {l.Lost, "are lost: the file is damaged"}, {l.Displaced, "gave way to others"},
	} {
		if part.n > 0 {
			text += fmt.Sprintf("; %d %s", part.n, part.word)
		}
	}
	if l.Truncated {
		text += "; the end of the file is missing"
	}
	if l.ClockBack {
		text += "; the clock is behind the time of saving, so all are stale"
	}
	return text
}

// transfer shows how many bytes went by; without a terminal nothing.
type transfer struct{ bar *progressbar.ProgressBar }

func transferBar(stderr io.Writer, size int64) *transfer {
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &transfer{progressbar.NewOptions64(size, progressbar.OptionSetWriter(stderr), progressbar.OptionSetWidth(24),
			progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())}
	}
	return new(transfer)
}

func (t *transfer) Write(b []byte) (int, error) {
	if t.bar != nil {
		_ = t.bar.Add(len(b))
	}
	return len(b), nil
}

// done takes the bar away.
func (t *transfer) done() {
	if t.bar != nil {
		_ = t.bar.Clear()
	}
}
