package config

import "fmt"

// validateTLS judges what is written; whether the files are there, and hold what
// they should, is seen by who opens them.
func (c *Config) validateTLS(p *problems) {
	t := c.TLS
	if n := len(t.Certificates); n > maxCertificates {
		p.add("tls.certificates", "%d certificates; at most %d are possible", n, maxCertificates)
	}
	for i, pair := range t.Certificates {
		pair.validate(p, fmt.Sprintf("tls.certificates[%d]", i))
	}
	if t.SelfSigned && len(t.Certificates) > 0 {
		p.add("tls.self_signed", "contradicts tls.certificates; keep one of them")
	}
	if t.Listen == "" {
		const hint = "is of no use without tls.listen; set that too (--tls-listen), for example to :8443"
		if len(t.Certificates) > 0 {
			p.add("tls.certificates", hint)
		}
		if t.SelfSigned {
			p.add("tls.self_signed", hint)
		}
		return
	}
	if err := checkListen(t.Listen); err != nil {
		p.check("tls.listen", err)
		return
	}
	if len(t.Certificates) == 0 && !t.SelfSigned {
		p.add("tls.listen", "has no certificate; set tls.certificates (--tls-cert and --tls-key), or for development tls.self_signed (--tls-self-signed)")
	}
	if overlap(c.Listen, t.Listen) {
		p.add("tls.listen", "%q has the port of listen (%q); give them two", t.Listen, c.Listen)
	}
}

func (c Certificate) validate(p *problems, at string) {
	if c.Cert == "" {
		p.add(at+".cert", "is missing; name the file with the certificate (--tls-cert)")
	} else {
		p.check(at+".cert", checkText(c.Cert))
	}
	if c.Key == "" {
		p.add(at+".key", "is missing; name the file with the key (--tls-key), which may be the same one")
	} else {
		p.check(at+".key", checkText(c.Key))
	}
}
