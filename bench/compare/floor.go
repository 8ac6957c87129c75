package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

// The floors do no caching and no judging: what they cost is what a request
// costs before a proxy has done anything.

// loopAnswers has a whole answer for the first letter of each kind.
type loopAnswers map[byte][]byte

func newLoopAnswers() loopAnswers {
	answers := make(loopAnswers)
	for _, kind := range []string{"small", "medium", "large"} {
		body := content(objects[kind].size)
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n"+
			"Cache-Control: max-age=3600\r\nEtag: \"%s-1\"\r\nLast-Modified: %s\r\nDate: %[3]s\r\nAge: 1\r\n\r\n",
			len(body), kind, lastModified)
		answers[kind[0]] = append([]byte(head), body...)
	}
	return answers
}

// serve is the bare loop: one goroutine for each connection reads a request,
// looks at nothing but the first letter of its path, and writes an answer.
func (a loopAnswers) serve(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			_ = a.answer(conn) // ends when the client goes
		}()
	}
}

func (a loopAnswers) answer(conn io.ReadWriter) error {
	const letter = len("GET /")
	buf := make([]byte, 4096)
	for n := 0; ; {
		m, err := conn.Read(buf[n:])
		if err != nil {
			return err
		}
		n += m
		if !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			if n == len(buf) {
				return errors.New("request head of more than 4096 bytes")
			}
			continue
		}
		if n <= letter || a[buf[letter]] == nil {
			return errors.New("a path that no scenario asks for")
		}
		if _, err := conn.Write(a[buf[letter]]); err != nil {
			return err
		}
		n = 0
	}
}

// constantHandler is what net/http costs around a constant answer.
func constantHandler() http.Handler {
	mux := http.NewServeMux()
	for _, kind := range []string{"small", "medium", "large"} {
		body := content(objects[kind].size)
		length := strconv.Itoa(len(body))
		mux.HandleFunc("GET /"+kind+"/", func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", "application/octet-stream")
			h.Set("Content-Length", length)
			h.Set("Cache-Control", "max-age=3600")
			h.Set("Etag", `"`+kind+`-1"`)
			h.Set("Last-Modified", lastModified)
			h.Set("Age", "1")
			_, _ = w.Write(body) // fails when the client has gone
		})
	}
	return mux
}
