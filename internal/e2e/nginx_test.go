package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// nginx is a running nginx with a configuration of its own.
type nginx struct {
	addr  string
	child *child
}

// mainConfig surrounds the server blocks of a test. gzip_proxied is needed: to nginx, a request with Via comes from a
// proxy, and by default it does not compress for those.
const mainConfig = `daemon off;
worker_processes 1;
pid DIR/nginx.pid;
USER
error_log stderr warn;
events { worker_connections 1024; }
http {
	types {
		text/html html;
		text/css css;
		text/plain txt;
		application/json json;
		application/octet-stream bin;
	}
	access_log off;
	keepalive_requests 1000000;
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
	gzip on;
	gzip_vary on;
	gzip_proxied any;
	gzip_min_length 256;
	gzip_types text/plain text/css application/json;
SERVERS
}
`

// startNginx runs nginx in dir with the given server blocks, in which ADDR stands for where to listen.
func startNginx(dir, servers string) (*nginx, error) {
	path, err := nginxBinary()
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	user := "" // only root may name one, and workers must be able to read the temporary directory
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	conf := strings.NewReplacer("SERVERS", servers, "USER", user, "DIR", dir).Replace(mainConfig)
	conf = strings.ReplaceAll(conf, "ADDR", addr)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, err
	}
	c, err := startChild(exec.Command(path, "-p", dir, "-c", file))
	if err != nil {
		return nil, err
	}
	n := &nginx{addr: addr, child: c}
	if err := c.waitListening(addr); err != nil {
		_ = n.stop()
		return nil, err
	}
	return n, nil
}

func (n *nginx) stop() error {
	code, err := n.child.end(syscall.SIGTERM)
	if err == nil && code != 0 {
		err = fmt.Errorf("nginx exited with code %d:\n%s", code, n.child.stderr)
	}
	return err
}

// siteConfig serves the files below root at several prefixes that differ in what caches are told.
func siteConfig(root string) string {
	return strings.ReplaceAll(`
server {
	listen ADDR;
	root ROOT;
	add_header X-Origin-Request $request_id always;

	location /static/ { expires 1h; }
	location /short/ {
		alias ROOT/static/;
		expires 2s;
	}
	location /no-store/ {
		alias ROOT/static/;
		add_header Cache-Control no-store;
		add_header X-Origin-Request $request_id always;
	}
	location = /gone {
		add_header Cache-Control max-age=60 always;
		add_header X-Origin-Request $request_id always;
		return 404;
	}
	location = /moved {
		add_header Cache-Control max-age=60 always;
		add_header X-Origin-Request $request_id always;
		return 301 /static/small.txt;
	}
	location = /redirect { return 301 /static/small.txt; }
	location = /forbidden {
		add_header Cache-Control max-age=60 always;
		add_header X-Origin-Request $request_id always;
		return 403;
	}
	location = /broken {
		add_header Cache-Control max-age=60 always;
		add_header X-Origin-Request $request_id always;
		return 500;
	}
}`, "ROOT", root)
}

const manyFiles = 50

// writeSite makes the files that siteConfig serves. They are old, so that Last-Modified is a strong validator.
func writeSite(root string) error {
	files := map[string][]byte{
		"static/small.txt": []byte("0123456789abcdefghijklmnopqrstuvwxyz\n"),
		"static/page.html": []byte("<!doctype html><title>page</title>" + strings.Repeat("<p>All work and no play.</p>\n", 200)),
		"static/data.json": []byte(`{"rows":[` + strings.Repeat(`{"name":"row","value":1},`, 400) + `{}]}`),
		"static/big.bin":   noise(3 << 20),
	}
	for i := range manyFiles {
		files[fmt.Sprintf("static/n/%d.txt", i)] = []byte(strings.Repeat(fmt.Sprintf("file %d line\n", i), 10+i))
	}
	old := time.Now().Add(-90 * 24 * time.Hour)
	for name, body := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			return err
		}
		if err := os.Chtimes(path, old, old); err != nil {
			return err
		}
	}
	return nil
}

// noise gives n bytes in which a misplaced block shows.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return b
}
