package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
)

// newProcessor returns the function that each submitted object goes to, nil for none.
func (f *serveFlags) newProcessor() (func(context.Context, *bucketlite.Job) error, error) {
	kind, target, _ := strings.Cut(f.processor, "=")
	if len(f.processorArgs) > 0 && kind != "exec" {
		return nil, usagef("--processor-arg is for --processor exec=PROGRAM")
	}
	if f.processorTimeout <= 0 {
		return nil, usagef("--processor-timeout: more than 0 expected")
	}
	switch {
	case f.processor == "none", f.readOnly && f.processor == "complete":
		return nil, nil
	case f.readOnly:
		return nil, usagef("--processor %s: with --read-only nothing is processed", kind)
	case f.processor == "complete":
		return func(context.Context, *bucketlite.Job) error { return nil }, nil
	case kind == "exec" && target != "":
		path, err := exec.LookPath(target)
		if err != nil {
			return nil, usagef("--processor: %w", err)
		}
		return (&program{program: path, args: f.processorArgs, timeout: f.processorTimeout}).process, nil
	case kind == "webhook" && target != "":
		return newWebhook(target, f.processorTimeout)
	}
	return nil, usagef("--processor: complete, none, exec=PROGRAM or webhook=URL expected, got %q", f.processor)
}

// maxSaid limits the bytes of a program's or a webhook's error text that are stored.
const maxSaid = 1800

// program is a processor that runs a program for each object.
type program struct {
	program string
	args    []string
	timeout time.Duration
}

// graceTime is how long a program that was killed may keep its pipes open, by
// children of its own.
const graceTime = 2 * time.Second

func (p *program) process(ctx context.Context, job *bucketlite.Job) error {
	input, err := compact(job.Object)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var said tail
	cmd := exec.CommandContext(limited, p.program, p.args...)
	cmd.WaitDelay = graceTime
	cmd.Stdin = bytes.NewReader(append(input, '\n'))
	cmd.Stderr = &said
	cmd.Env = append(programEnv(),
		"BUCKETLITE_BATCH_ID="+job.BatchID, "BUCKETLITE_BUCKET_ID="+job.Bucket.ID(), "BUCKETLITE_BUCKET_NAME="+job.Bucket.Name(),
		"BUCKETLITE_ATTEMPT="+strconv.Itoa(job.Attempt))
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it is done, though a child of its own may not be
		return nil
	case ctx.Err() != nil: // the job is handed back
		return ctx.Err()
	case limited.Err() != nil:
		return &bucketlite.JobError{Category: bucketlite.CategoryNetwork, Component: "exec", Message: fmt.Sprintf("the program ran for longer than %s", p.timeout), Err: err}
	case errors.As(err, &exit):
		message := strings.TrimSpace(said.String())
		if message == "" {
			message = "the program ended with " + exit.Error()
		}
		return &bucketlite.JobError{Component: "exec", Message: message, Err: err}
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return &bucketlite.JobError{Category: bucketlite.CategoryDependency, Component: "exec", Err: err}
	}
	return &bucketlite.JobError{Component: "exec", Err: err}
}

// programEnv is the environment without the server's secrets.
func programEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.EqualFold(name, keyVariable) || strings.EqualFold(name, signingVariable)
	})
}

// tail keeps the end of the text that is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p[max(0, len(p)-maxSaid):]...)
	if over := len(t.text) - maxSaid; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.ToValidUTF8(string(t.text), "") }

// webhook is a processor that posts each object.
type webhook struct {
	url    string
	client *http.Client
}

// posted is the body of a request to a webhook.
type posted struct {
	BucketID   string             `json:"bucket_id"`
	BucketName string             `json:"bucket_name"`
	BatchID    string             `json:"batch_id"`
	Attempt    int                `json:"attempt"`
	Object     *bucketlite.Object `json:"object"`
}

func newWebhook(target string, timeout time.Duration) (func(context.Context, *bucketlite.Job) error, error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		// It may have a password in it, so it is not repeated.
		return nil, usagef("--processor webhook: a URL of http or https expected")
	}
	w := &webhook{url: target, client: &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return w.process, nil
}

func (w *webhook) process(ctx context.Context, job *bucketlite.Job) error {
	body, err := compact(posted{job.Bucket.ID(), job.Bucket.Name(), job.BatchID, job.Attempt, job.Object})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "bucketlite")
	resp, err := w.client.Do(req)
	if err != nil {
		if ctx.Err() != nil { // the job is handed back
			return ctx.Err()
		}
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the URL, which may have a secret in it
		}
		return &bucketlite.JobError{Category: bucketlite.CategoryNetwork, Component: "webhook", Err: err}
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxSaid)) // what there is of it
	if resp.StatusCode/100 == 2 {
		return nil
	}
	message := resp.Status
	if text := strings.TrimSpace(strings.ToValidUTF8(string(said), "")); text != "" {
		message += ": " + text
	}
	return &bucketlite.JobError{Category: bucketlite.CategoryNetwork, Component: "webhook", Message: message}
}
