package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tooLong is when a side that does not end by itself has failed. No test waits
// for it otherwise.
const tooLong = 30 * time.Second

// talk sends segments to a side, then that no more will come, and returns what
// came of it.
type talk func(t testing.TB, s *side, segments ...[]byte) transcript

// overPipe waits, before it says that no more will come, for the server to have
// done all that it does without that. It needs a bubble.
func overPipe(settled func()) talk {
	return func(t testing.TB, s *side, segments ...[]byte) transcript {
		p := newLawPipe()
		p.say(false, segments...)
		s.server.listener.(*pipes).conns <- p
		settled()
		_, ended := p.heard(false)
		p.say(true)
		raw, _ := p.heard(true)
		kept := "kept until the client ends\n"
		if ended {
			kept = "closed\n"
		}
		return s.transcript(raw, kept)
	}
}

// overPlainPipe says at once that no more will come.
func overPlainPipe(_ testing.TB, s *side, segments ...[]byte) transcript {
	p := newLawPipe()
	p.say(true, segments...)
	s.server.listener.(*pipes).conns <- p
	raw, _ := p.heard(true)
	return s.transcript(raw, "")
}

// transcript gathers what came of the last talk.
func (s *side) transcript(raw []byte, kept string) transcript {
	outcomes := s.take()
	asked := s.origin.take()
	if len(asked) > 0 { // only then can the store have changed
		s.state = used
	}
	return transcript{raw: raw, kept: kept, outcomes: outcomes, asked: asked}
}

// overTLS sends each segment as a record.
func overTLS(t testing.TB, s *side, segments ...[]byte) transcript {
	nc, err := tls.Dial("tcp", s.server.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	require.NoError(t, err)
	return converse(t, s, nc, segments, func(chan struct{}) {})
}

type halfCloser interface {
	net.Conn
	CloseWrite() error
}

func converse(t testing.TB, s *side, nc halfCloser, segments [][]byte, untilRead func(ended chan struct{})) transcript {
	defer nc.Close()
	require.NoError(t, nc.SetDeadline(time.Now().Add(tooLong)))
	sent, ended := make(chan struct{}), make(chan struct{})
	go func() { // the server may answer before it has read everything, or close
		defer close(sent)
		for _, segment := range segments {
			if _, err := nc.Write(segment); err != nil {
				break
			}
			untilRead(ended)
		}
		_ = nc.CloseWrite()
	}()
	var raw bytes.Buffer
	_, err := raw.ReadFrom(nc)
	close(ended)
	<-sent
	// A server that closes with something unread resets the connection, which is
	// an end, too.
	if err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.ErrUnexpectedEOF) {
		require.NoError(t, err, "no end after %q to %q", raw.Bytes(), segments)
	}
	told := s.transcript(raw.Bytes(), "")
	told.reset = errors.Is(err, syscall.ECONNRESET)
	return told
}
