package config

func (s Snapshot) validate(p *problems) {
	if s.File != "" {
		p.check("snapshot.file", checkText(s.File))
	}
	if s.Every == 0 {
		return
	}
	p.check("snapshot.every", checkDuration(s.Every, 10*second, maxWait))
	if s.File == "" {
		p.add("snapshot.every", "%s without snapshot.file; name the file, or leave it out", s.Every)
	}
}
