package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// errDeclined is the answer no.
var errDeclined = errors.New("nothing was deleted")

// confirm asks whether something may be deleted, unless yes says so already. Where
// nobody can be asked the answer is no: a script that deletes says --yes.
func (a *app) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if !a.asks {
		return usagef("there is no terminal to ask on: deleting needs --yes")
	}
	agreed, err := a.ask(ctx, question)
	if err == nil && !agreed {
		err = errDeclined
	}
	return err
}

// ask asks a question on the terminal, and reports whether the answer is yes.
func (a *app) ask(ctx context.Context, question string) (bool, error) {
	fmt.Fprintf(a.err, "%s [y/N] ", printable(question))
	answer, err := bufio.NewReader(newPatientReader(ctx, a.in)).ReadString('\n')
	if err != nil && err != io.EOF {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}

// patientReader reads what may keep it waiting, until ctx ends. A read that is
// under way then is left behind, so it is for standard input alone.
type patientReader struct {
	ctx     context.Context
	r       io.Reader
	buf     []byte
	rest    []byte
	err     error
	pending chan chunk
}

type chunk struct {
	n   int
	err error
}

func newPatientReader(ctx context.Context, r io.Reader) *patientReader {
	return &patientReader{ctx: ctx, r: r, buf: make([]byte, 64<<10), pending: make(chan chunk, 1)}
}

func (p *patientReader) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		go func() {
			n, err := p.r.Read(p.buf)
			p.pending <- chunk{n, err}
		}()
		select {
		case c := <-p.pending:
			p.rest, p.err = p.buf[:c.n], c.err
		case <-p.ctx.Done():
			p.err = p.ctx.Err()
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
