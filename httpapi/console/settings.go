package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

var settingsRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/settings", inPlace, reads, (*request).settings},
	{"POST /n/{namespace}/b/{bucket}/settings", inPlace, writes, (*request).changeSettings},
}

// A lifecycleStep is something that changes the state of a bucket.
type lifecycleStep struct {
	Name    string // of the button's value
	Text    string // of the button
	Means   string // what the bucket refuses then
	Confirm bool   // by typing the bucket's name
	Danger  bool
	call    func(*bucketlite.Bucket, context.Context) error
}

// lifecycleSteps are all steps, in the order in which a page shows them.
var lifecycleSteps = []lifecycleStep{
	{Name: "unlock", Text: "Unlock", Means: "Allows again what the bucket's state allows.", call: (*bucketlite.Bucket).Unlock},
	{Name: "activate", Text: "Activate", Means: "Objects can be read and changed again.", call: (*bucketlite.Bucket).Activate},
	{Name: "lock", Text: "Lock", Means: "Refuses every change: of objects, of settings, of the state, and deletion. Objects can still be read.", call: (*bucketlite.Bucket).Lock},
	{Name: "archive", Text: "Archive", Means: "Refuses changes of objects, of the schema, and submitting batches. Objects can be read; the settings here can be changed.", Confirm: true, call: (*bucketlite.Bucket).Archive},
	{Name: "suspend", Text: "Suspend", Means: "Refuses reading too: lists, media links, charts and exports. The settings here can be changed.", Confirm: true, Danger: true, call: (*bucketlite.Bucket).Suspend},
	{Name: "delete", Text: "Delete", Means: "Deletes the bucket, its objects and their files for good. It cannot be canceled.", Confirm: true, Danger: true,
		call: func(b *bucketlite.Bucket, ctx context.Context) error { _, err := b.Delete(ctx); return err }},
}

// stepsOf returns the steps that a bucket's state allows.
func stepsOf(info *bucketlite.BucketInfo) []lifecycleStep {
	allowed := map[bucketlite.Status][]string{
		bucketlite.StatusActive:    {"lock", "archive", "suspend", "delete"},
		bucketlite.StatusArchived:  {"lock", "activate", "delete"},
		bucketlite.StatusSuspended: {"lock", "activate", "archive", "delete"},
	}[info.Status]
	if info.Locked && allowed != nil {
		allowed = []string{"unlock"}
	}
	var steps []lifecycleStep
	for _, s := range lifecycleSteps {
		if slices.Contains(allowed, s.Name) {
			steps = append(steps, s)
		}
	}
	return steps
}

// settingsForm is what the settings of a bucket show.
type settingsForm struct {
	Steps     []lifecycleStep
	MayChange bool // by the key and the state
	bucketSettings
	Fault *fault // of a form that was refused
	Wrong wrongs // what is wrong with it, by the names of its controls
	Step  string // the step whose confirmation was refused
	Was   string // the settings that the user has seen, as JSON: only what differs from them is saved
}

// wrongs are what is wrong with the controls of a form, by their names.
type wrongs map[string]string

// bucketSettings is the part of a bucket's configuration that can be changed at any time,
// as a form has it.
type bucketSettings struct {
	Name, Description, Metadata string
	Retention                   retentionForm
}

func settingsOf(info *bucketlite.BucketInfo) bucketSettings {
	s := bucketSettings{Name: info.Name, Description: info.Description, Retention: newRetentionForm(info.Retention)}
	if len(info.Metadata) > 0 {
		s.Metadata = indented(info.Metadata)
	}
	return s
}

// givenSettings reads the controls of a form.
func givenSettings(form url.Values) bucketSettings {
	return bucketSettings{
		Name: form.Get("name"), Description: form.Get("description"), Metadata: form.Get("metadata"), Retention: givenRetention(form),
	}
}

// parse returns what the controls mean, and what is wrong with those that mean nothing.
func (s *bucketSettings) parse() (metadata map[string]any, retention bucketlite.Retention, wrong wrongs) {
	wrong = make(wrongs)
	metadata, text := parseObject(s.Metadata)
	if text != "" {
		wrong["metadata"] = text
	}
	retention = s.Retention.parse(wrong)
	return metadata, retention, wrong
}

// parseObject returns the JSON object that a text is, an empty one for a blank text.
func parseObject(text string) (doc map[string]any, wrong string) {
	if strings.TrimSpace(text) == "" {
		return map[string]any{}, ""
	}
	v, err := value.Parse([]byte(text), value.Limits{})
	if err != nil {
		return nil, sentence(err.Error())
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, "A JSON object expected, such as {\"team\": \"photo\"}."
	}
	return doc, ""
}

func (q *request) settings() error {
	return q.render(http.StatusOK, "settings", "Settings", q.settingsForm(settingsOf(q.info)))
}

func (q *request) settingsForm(s bucketSettings) *settingsForm {
	was, _ := json.Marshal(settingsOf(q.info)) // texts alone
	return &settingsForm{
		Was:            string(was),
		Steps:          stepsOf(q.info),
		MayChange:      !q.access.ReadOnly && !q.info.Locked && q.info.Status != bucketlite.StatusInProgress,
		bucketSettings: s,
	}
}

// changeSettings saves the settings of a bucket or changes its state, as the button says.
func (q *request) changeSettings() error {
	given, err := q.form()
	if err != nil {
		return err
	}
	do := given.Get("do")
	if do == "save" {
		return q.saveSettings(given)
	}
	n := slices.IndexFunc(lifecycleSteps, func(s lifecycleStep) bool { return s.Name == do })
	if n < 0 {
		return invalid("the form has no such button")
	}
	step := lifecycleSteps[n]
	if step.Confirm && given.Get("confirm") != q.info.Name {
		form := q.settingsForm(settingsOf(q.info))
		form.Step, form.Wrong = step.Name, wrongs{"confirm": wrongName}
		return q.render(http.StatusUnprocessableEntity, "settings", "Settings", form)
	}
	if err := step.call(q.bucket, q.ctx()); err != nil {
		return q.refusedSettings(q.settingsForm(settingsOf(q.info)), err)
	}
	if step.Name == "delete" {
		return q.done(q.nsPath(), "bucket-deleted")
	}
	return q.done(q.bucketPath()+"settings", "bucket-"+step.Name)
}

func (q *request) saveSettings(given url.Values) error {
	form := q.settingsForm(givenSettings(given))
	metadata, retention, wrong := form.parse()
	if len(wrong) > 0 {
		form.Wrong = wrong
		form.Fault = &fault{Status: http.StatusUnprocessableEntity, Text: "Nothing was saved, since some of it is not valid."}
		return q.render(http.StatusUnprocessableEntity, "settings", "Settings", form)
	}
	was := settingsOf(q.info)
	if text := given.Get("was"); text != "" {
		if json.Unmarshal([]byte(text), &was) != nil {
			return invalid("was: the settings that were shown expected")
		}
		form.Was = text
	}
	if _, err := q.bucket.Update(q.ctx(), form.changes(was, metadata, retention)); err != nil {
		return q.refusedSettings(form, err)
	}
	return q.done(q.bucketPath()+"settings", "bucket-saved")
}

// changes returns what differs from the settings that the user has seen. So a form does not
// undo what others have saved meanwhile, and loses nothing that a control cannot show.
func (s *bucketSettings) changes(was bucketSettings, metadata map[string]any, retention bucketlite.Retention) (u bucketlite.BucketUpdate) {
	if s.Name != sentText(was.Name, false) {
		u.Name = &s.Name
	}
	if s.Description != sentText(was.Description, false) {
		u.Description = &s.Description
	}
	if normalLines(s.Metadata) != sentText(was.Metadata, true) {
		u.Metadata = metadata
	}
	if s.Retention != was.Retention {
		u.Retention = &retention
	}
	return u
}

// settingControls are the names of controls by the paths of issues.
var settingControls = map[string]string{
	"bucket_name": "name", "description": "description", "metadata": "metadata", "storage_class": "class",
	"retention.max_age_seconds": "age", "retention.max_objects": "objects", "retention.max_bytes": "bytes",
}

// controlsOf returns what is wrong by the names of controls, and the other issues.
func controlsOf(issues []bucketlite.Issue) (wrong wrongs, others []bucketlite.Issue) {
	wrong = make(wrongs)
	for _, i := range issues {
		path := i.Path
		if strings.HasPrefix(path, "metadata") {
			path = "metadata"
		}
		if name, ok := settingControls[path]; ok && wrong[name] == "" {
			wrong[name] = sentence(i.Message)
			continue
		}
		others = append(others, i)
	}
	return wrong, others
}

// refusedSettings shows the form again with the reason why it was refused.
func (q *request) refusedSettings(form *settingsForm, err error) error {
	status, text := describe(err)
	if status >= 500 {
		return err
	}
	var others []bucketlite.Issue
	form.Wrong, others = controlsOf(issuesOf(err))
	if errors.Is(err, bucketlite.ErrExists) {
		form.Wrong["name"] = text
	}
	form.Fault = &fault{Status: status, Text: text, Issues: others}
	return q.render(status, "settings", "Settings", form)
}
