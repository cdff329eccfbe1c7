package main

import (
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far a command has come, if there is a terminal to show it on.
// A nil progress shows nothing.
type progress struct {
	app  *app
	bar  *progressbar.ProgressBar
	more atomic.Int64 // what add has counted
}

// unit is the unit of a bar.
type unit int

const (
	inBytes   unit = iota
	inNumbers      // of objects
	inPercent      // of anything without a unit
)

// progress begins to show a bar. A total of -1 stands for one that is not known.
func (a *app) progress(what string, total int64, in unit) *progress {
	if !a.bars {
		return nil
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(a.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(in == inBytes),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(total > 0),
	}
	if in != inPercent {
		options = append(options, progressbar.OptionShowCount())
	}
	a.bar = &progress{app: a, bar: progressbar.NewOptions64(total, options...)}
	return a.bar
}

// set says how much has been done.
func (p *progress) set(done int64) {
	if p != nil {
		p.bar.Set64(done + p.more.Load())
	}
}

// add says that something has been done beside what set says. It is safe for
// concurrent use.
func (p *progress) add(n int) {
	if p != nil {
		p.more.Add(int64(n))
		p.bar.Add(n)
	}
}

// of says how much has been done, and of how much.
func (p *progress) of(done, total int64) {
	if p == nil {
		return
	}
	if total > 0 && total != p.bar.GetMax64() {
		p.bar.ChangeMax64(total)
	}
	p.bar.Set64(done)
}

// clear makes room for a message. The bar comes back with the next set.
func (p *progress) clear() {
	if p != nil {
		p.bar.Clear()
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p != nil {
		p.bar.Clear()
		p.app.bar = nil
	}
}
