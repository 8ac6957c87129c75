package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDoes(t *testing.T) {
	names := func(p peer) (out []string) {
		for _, s := range scenarios {
			if p.does(s) {
				out = append(out, s.name)
			}
		}
		return out
	}
	byName := map[string]peer{}
	for _, p := range known {
		byName[p.name] = p
	}
	assert.Equal(t, scenarioNames(), names(byName["nginx"]))
	assert.Equal(t, scenarioNames(), names(byName["haproxy"]))
	assert.Equal(t, []string{"hit", "hit10k", "hit32k", "hit10m", "pass", "reval", "stampede"}, names(byName["varnish"]), "no TLS")
	assert.Equal(t, []string{"hit", "hit10k", "hit32k", "hit10m", "tls1"}, names(byName["loop"]), "a floor only hits")
	assert.Equal(t, []string{"hit", "hit10k", "hit32k", "hit10m", "tls1", "tls2"}, names(byName["nethttp"]))
}

func TestConfigs(t *testing.T) {
	plainSite := site{Port: 18001, Origin: 18002, Workers: 1, Files: 4096}
	tlsSite := site{Port: 18001, Origin: 18002, TLSPort: 18003, Workers: 2, Files: 4096, Cert: "/c.pem", Key: "/k.pem", Both: "/b.pem", Root: true}
	for _, tc := range []struct {
		template  string
		site      site
		has, lack []string
	}{
		{"nginx.conf", plainSite, []string{"listen 127.0.0.1:18001 ", "server 127.0.0.1:18002;", "worker_processes 1;", "worker_rlimit_nofile 4096;", "access_log off;"}, []string{"ssl", "user root"}},
		{"nginx.conf", tlsSite, []string{"listen 127.0.0.1:18003 ssl http2", "ssl_certificate /c.pem;", "ssl_certificate_key /k.pem;", "worker_processes 2;", "user root;"}, nil},
		{"haproxy.cfg", plainSite, []string{"bind 127.0.0.1:18001\n", "server origin 127.0.0.1:18002 ", "nbthread 1\n"}, []string{"ssl"}},
		{"haproxy.cfg", tlsSite, []string{"bind 127.0.0.1:18003 ssl crt /b.pem alpn h2,http/1.1", "nbthread 2\n"}, nil},
		{"varnish.vcl", plainSite, []string{`.port = "18002";`}, nil},
	} {
		t.Run(tc.template, func(t *testing.T) {
			tc.site.Dir = t.TempDir()
			file, err := writeConfig(tc.template, tc.site)
			require.NoError(t, err)
			assert.Equal(t, filepath.Join(tc.site.Dir, tc.template), file)
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, s := range tc.has {
				assert.Contains(t, string(text), s)
			}
			for _, s := range append(tc.lack, "<no value>", "{{") {
				assert.NotContains(t, string(text), s)
			}
		})
	}
}

func TestOursCommand(t *testing.T) {
	s := site{Port: 18001, Origin: 18002}
	argv, err := oursCommand(peer{program: "/bin/us"}, s)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"/bin/us", "--listen", "127.0.0.1:18001", "--origin", "http://127.0.0.1:18002",
		"--admin", "off", "--access-log", "off", "--cache-size", "2GiB",
	}, argv)
	s.TLSPort, s.Cert, s.Key = 18003, "c", "k"
	argv, err = oursCommand(peer{program: "/bin/us"}, s)
	require.NoError(t, err)
	assert.Equal(t, []string{"--tls-listen", "127.0.0.1:18003", "--tls-cert", "c", "--tls-key", "k"}, argv[len(argv)-6:])
}

func TestLogTags(t *testing.T) {
	text := "\n.. generated\n\nDebug\n-----\n\nWords about it.\n\nVCL_trace\n~~~~~~~~~\nBereqURL (a)\n------------\n-----\n"
	assert.Equal(t, []string{"Debug", "BereqURL (a)"}, logTags(text))
	assert.Empty(t, logTags(""))
}

// program writes a script that stands in for a program.
func program(t *testing.T, name, body string) string {
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+body), 0o755))
	return file
}

func TestSilence(t *testing.T) {
	mask, err := silence(program(t, "varnishd", "printf 'Debug\\n-----\\n\\nHash\\n----\\n'"))
	require.NoError(t, err)
	assert.Equal(t, "-Debug,-Hash", mask)
	_, err = silence(program(t, "varnishd", "echo nothing"))
	assert.ErrorContains(t, err, "names no log records")
	_, err = silence(program(t, "varnishd", "exit 3"))
	assert.ErrorContains(t, err, "list of log records: exit status 3")
}
