package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// pair is a peer and the origin behind it, running.
type pair struct {
	peer       peer
	site       site
	proxy      *process
	origin     *process
	originBase string
}

// base is the URL under which a scenario finds the peer.
func (p *pair) base(proto string) string {
	if proto == plain {
		return "http://" + addr(p.site.Port)
	}
	return "https://" + addr(p.site.TLSPort)
}

// usage is CPU time at one moment.
type usage struct{ machine, proxy, origin, self time.Duration }

func (p *pair) usage() (u usage, err error) {
	if u.proxy, err = treeCPU(p.proxy.pid()); err != nil {
		return u, fmt.Errorf("%s: %w: %s", p.peer.name, err, p.proxy.lastWords())
	}
	if u.origin, err = treeCPU(p.origin.pid()); err != nil {
		return u, fmt.Errorf("origin: %w: %s", err, p.origin.lastWords())
	}
	u.machine, err = machineCPU()
	u.self = ownCPU()
	return u, err
}

// account runs a load and adds to the sample what it took, and what others
// took meanwhile. Put returns the CPU time of the processes that made the load.
func (p *pair) account(sm *sample, put func() (load, time.Duration, error)) (load, error) {
	before, err := p.usage()
	if err != nil {
		return load{}, err
	}
	l, generator, err := put()
	if err != nil {
		return l, err
	}
	after, err := p.usage()
	if err != nil {
		return l, err
	}
	proxy := after.proxy - before.proxy
	part := proxy + after.origin - before.origin + after.self - before.self + generator
	sm.CPU += proxy.Seconds()
	sm.Others += max(0, after.machine-before.machine-part).Seconds()
	sm.Requests += l.requests
	sm.Seconds += l.seconds
	sm.Bad += l.bad
	return l, nil
}

// start starts an origin, the peer before it, and waits until it answers.
func (r *run) start(ctx context.Context, p peer, sh shares) (_ *pair, err error) {
	started := &pair{peer: p}
	defer func() {
		if err != nil {
			started.stop()
		}
	}()
	dir, err := os.MkdirTemp(r.dir, p.name+"-")
	if err != nil {
		return nil, err
	}
	if started.site, err = r.site(p, sh, dir); err != nil {
		return nil, err
	}
	started.originBase = "http://" + addr(started.site.Origin)
	env := append(environment(os.Environ()), "GOMAXPROCS="+strconv.Itoa(sh.workers))
	argv, err := selfCommand(peer{name: originName}, site{Port: started.site.Origin})
	if err != nil {
		return nil, err
	}
	if started.origin, err = startProcess(originName, dir, argv, env, sh.load); err != nil {
		return nil, err
	}
	if err := started.origin.awaitReady(ctx, func(ctx context.Context) error {
		_, err := originStats(ctx, r.client, started.originBase)
		return err
	}); err != nil {
		return nil, err
	}
	if argv, err = p.command(p, started.site); err != nil {
		return nil, err
	}
	if started.proxy, err = startProcess(p.name, dir, argv, env, sh.proxy); err != nil {
		return nil, err
	}
	return started, started.proxy.awaitReady(ctx, func(ctx context.Context) error {
		return warm(ctx, r.client, scenarios[0], started.base(plain), 1)
	})
}

func (r *run) site(p peer, sh shares, dir string) (s site, err error) {
	s = site{
		Dir: dir, Workers: sh.workers, Files: files, Root: os.Getuid() == 0,
		Cert: r.file("cert.pem"), Key: r.file("key.pem"), Both: r.file("both.pem"),
	}
	if s.Port, err = r.ports.take(); err != nil {
		return s, err
	}
	if s.Origin, err = r.ports.take(); err != nil {
		return s, err
	}
	if p.tls {
		s.TLSPort, err = r.ports.take()
	}
	return s, err
}

// stop ends both processes and forgets what they wrote.
func (p *pair) stop() {
	for _, proc := range []*process{p.proxy, p.origin} {
		if proc != nil {
			proc.stop()
		}
	}
	_ = os.RemoveAll(p.site.Dir) // the whole directory goes at the end, and that is checked
}

// environment drops what would configure a peer behind our back.
func environment(env []string) (out []string) {
	for _, e := range env {
		if !strings.HasPrefix(e, "CACHEPROXY_") && !strings.HasPrefix(e, "GOMAXPROCS=") {
			out = append(out, e)
		}
	}
	return out
}
