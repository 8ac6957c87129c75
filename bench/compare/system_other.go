//go:build !linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"time"
)

// The measurement needs Linux; report and plot work everywhere.
var errNotLinux = errors.New("CPU time is read from /proc, which only Linux has; run this on Linux")

type cpuSet struct{}

func oneCPU(int) cpuSet               { return cpuSet{} }
func (cpuSet) list() []int            { return nil }
func affinity() (cpuSet, error)       { return cpuSet{}, errNotLinux }
func setProcess(cpuSet) error         { return errNotLinux }
func startOn(*exec.Cmd, cpuSet) error { return errNotLinux }
func ownGroup(*exec.Cmd)              {}
func killGroup(p *os.Process)         { _ = p.Kill() }
func raiseFiles(uint64) error         { return errNotLinux }
func ownCPU() time.Duration           { return 0 }
func kernel() string                  { return "" }
