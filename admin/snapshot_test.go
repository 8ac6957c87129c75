package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/snapshot"
)

// snapshots is the operator's side of a store that has this text.
func snapshots(text string, fail error) http.Handler {
	return New(Options{
		Metrics: NewMetrics(Sources{}), Token: "s3cret",
		SaveSnapshot: func(w io.Writer) (saved snapshot.Saved, err error) {
			if text == "" {
				return saved, fail
			}
			if _, err = io.WriteString(w, text); err != nil {
				return saved, err
			}
			return snapshot.Saved{Entries: 3, Bytes: int64(len(text))}, fail
		},
		LoadSnapshot: func(r io.Reader) (loaded snapshot.Loaded, err error) {
			b, err := io.ReadAll(r)
			if err == nil {
				err = fail
			}
			return snapshot.Loaded{Entries: 2, Lost: 1, Bytes: int64(len(b))}, err
		},
	})
}

func operatorsRequest(t *testing.T, s *httptest.Server, method, kind string, body io.Reader) *http.Response {
	r, err := http.NewRequest(method, s.URL+"/api/snapshot", body)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer s3cret")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	resp, err := s.Client().Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestSaveASnapshot(t *testing.T) {
	text := strings.Repeat("snapshot", 100_000)
	s := httptest.NewServer(snapshots(text, nil))
	defer s.Close()
	resp := operatorsRequest(t, s, "GET", "", nil)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, text, string(got))
	assert.Equal(t, SnapshotType, resp.Header.Get("Content-Type"))
	var saved snapshot.Saved
	require.NoError(t, json.Unmarshal([]byte(resp.Trailer.Get(SavedTrailer)), &saved))
	assert.Equal(t, snapshot.Saved{Entries: 3, Bytes: 800_000}, saved)

	resp = operatorsRequest(t, s, "HEAD", "", nil)
	assert.Equal(t, 200, resp.StatusCode)
	plain, err := s.Client().Get(s.URL + "/api/snapshot")
	require.NoError(t, err)
	defer plain.Body.Close()
	assert.Equal(t, 401, plain.StatusCode, "all that is stored is not for everybody")
}

// Who fetches a snapshot that breaks off must not take it for a whole one.
func TestASaveThatBreaksOff(t *testing.T) {
	s := httptest.NewServer(snapshots(strings.Repeat("x", 100_000), errors.New("the fetcher is closed")))
	defer s.Close()
	resp := operatorsRequest(t, s, "GET", "", nil)
	_, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestSnapshotRefusals(t *testing.T) {
	_, foreign := snapshot.NewReader(strings.NewReader("something else"))
	for _, tc := range []struct {
		err    error
		status int
	}{
		{snapshot.ErrBusy, 409}, {foreign, 400}, {errors.New("the fetcher is closed"), 503},
	} {
		s := httptest.NewServer(snapshots("", tc.err))
		defer s.Close()
		for _, method := range []string{"GET", "POST"} {
			if method == "GET" && tc.status == 400 {
				continue
			}
			resp := operatorsRequest(t, s, method, SnapshotType, strings.NewReader("abc"))
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, tc.status, resp.StatusCode, method)
			assert.Contains(t, string(got), tc.err.Error(), method)
			assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		}
	}
}

func TestLoadASnapshot(t *testing.T) {
	s := httptest.NewServer(snapshots("", nil))
	defer s.Close()
	resp := operatorsRequest(t, s, "POST", SnapshotType, bytes.NewReader(make([]byte, 500_000)))
	var loaded snapshot.Loaded
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&loaded))
	assert.Equal(t, snapshot.Loaded{Entries: 2, Lost: 1, Bytes: 500_000}, loaded)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded"} {
		assert.Equal(t, 415, operatorsRequest(t, s, "POST", kind, strings.NewReader("x")).StatusCode, "as forms of other sites send it")
	}
}
