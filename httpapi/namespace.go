package httpapi

import (
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A key that is limited to some namespaces sees no others in lists. It creates
// namespaces only by the names it is limited to, and gives them no other name: else
// it could make one that is meant for another key.
var namespaceRoutes = []route{
	{"POST /v1/namespaces", keyed, writes, definitionBody, (*call).createNamespace},
	{"POST /v1/namespaces/list", keyed, reads, formBody, (*call).listNamespaces},
	{"GET /v1/namespaces", keyed, reads, formBody, (*call).browseNamespaces},
	{"GET /v1/namespaces/{namespace}", keyed, reads, noBody, (*call).getNamespace},
	{"PUT /v1/namespaces/{namespace}", keyed, writes, definitionBody, (*call).updateNamespace},
	{"PATCH /v1/namespaces/{namespace}", keyed, writes, definitionBody, (*call).updateNamespace},
	{"DELETE /v1/namespaces/{namespace}", keyed, writes, noBody, (*call).deleteNamespace},
}

// createNamespace creates a namespace. Feature extractors mean nothing to the store,
// so it does without.
func (c *call) createNamespace() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	config := bucketlite.NamespaceConfig{
		Name:              f.requiredText("namespace_name", "name"),
		Description:       f.text("description"),
		FeatureExtractors: f.list("feature_extractors"),
		PayloadIndexes:    f.list("payload_indexes"),
	}
	f.hostedSettings()
	f.takeOthers(bucketlite.ValidateNamespace(config))
	if err := c.check(); err != nil {
		return nil, err
	}
	if len(config.FeatureExtractors) == 0 {
		c.warn("feature_extractors: at least one expected")
	}
	if err := c.mayName(config.Name); err != nil {
		return nil, err
	}
	ns, err := c.h.store.CreateNamespace(c.ctx(), config)
	if err != nil {
		return nil, err
	}
	return c.namespaceAnswer(ns.Info(c.ctx()))
}

// mayName refuses a name for a namespace that the key is not limited to.
func (c *call) mayName(name string) error {
	if c.key.Allows(name) {
		return nil
	}
	return forbidden(fmt.Sprintf("the key may not name a namespace %q", name))
}

// hostedSettings checks the members of a namespace that only the hosted service has a use
// for. They are not kept.
func (f *form) hostedSettings() {
	f.choice("namespace_type", "standard", "standard", "marketplace")
	f.boolean("auto_create_indexes", false)
	doc := f.object("infrastructure")
	if doc == nil {
		return
	}
	in := &form{call: f.call, in: f.in, at: slices.Clip(f.at.Member("infrastructure")), doc: doc}
	if id := in.optionalText("ray_cluster_id"); id != nil && !clusterID.MatchString(*id) {
		in.fault("ray_cluster_id", "pattern", "an id that matches "+clusterID.String()+" expected, got "+value.Show(*id))
	}
	for _, name := range []string{"ray_head_node_url", "ray_dashboard_url", "qdrant_url", "qdrant_api_key", "gpu_type", "s3_plugin_bucket", "s3_plugin_prefix"} {
		in.optionalText(name)
	}
	known := len(f.call.faults)
	if n := utf8.RuneCountInString(in.requiredText("qdrant_collection")); len(f.call.faults) == known && (n < 3 || n > 128) {
		in.fault("qdrant_collection", "length", fmt.Sprintf("3 to 128 characters expected, got %d", n))
	}
	in.choice("compute_tier", "shared", "shared", "dedicated_cpu", "dedicated_gpu")
	in.boolean("autoscaling_enabled", true)
	for _, n := range infrastructureLimits {
		in.integer(n.name, n.least, n.most, n.least)
	}
}

var clusterID = regexp.MustCompile(`^ray_[a-zA-Z0-9_]{3,64}$`)

// infrastructureLimits are those of the hosted service's NamespaceInfrastructure.
var infrastructureLimits = []struct {
	name        string
	least, most int
}{
	{"max_concurrent_jobs", 1, 1000}, {"min_workers", 0, 100}, {"max_workers", 1, 100},
	{"gpus_per_worker", 0, 8}, {"max_custom_plugins", 0, 100}, {"max_custom_models", 0, 50},
}

// namespaceAnswer adds a member of the wire form to a namespace: the ids of its feature
// extractors, which follow from their names and versions. Extractors and indexes of
// another form, which older versions recorded, are left out with a warning: a strict
// client could not read the whole list.
func (c *call) namespaceAnswer(info *bucketlite.NamespaceInfo, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	info.FeatureExtractors = c.conforming("feature_extractors", info.FeatureExtractors, func(list []any) bucketlite.NamespaceConfig {
		return bucketlite.NamespaceConfig{Name: "any", FeatureExtractors: list}
	})
	info.PayloadIndexes = c.conforming("payload_indexes", info.PayloadIndexes, func(list []any) bucketlite.NamespaceConfig {
		return bucketlite.NamespaceConfig{Name: "any", PayloadIndexes: list}
	})
	for _, v := range info.PayloadIndexes {
		if index, _ := v.(map[string]any); index["is_protected"] == nil { // null stands in older files
			delete(index, "is_protected")
		}
	}
	for _, v := range info.FeatureExtractors {
		extractor, _ := v.(map[string]any)
		name, named := extractor["feature_extractor_name"].(string)
		version, ok := extractor["version"].(string)
		if named && ok {
			extractor["feature_extractor_id"] = name + "_" + version
		}
	}
	return info, nil
}

// conforming returns the items that a namespace may record.
func (c *call) conforming(name string, list []any, config func([]any) bucketlite.NamespaceConfig) []any {
	if bucketlite.ValidateNamespace(config(list)) == nil {
		return list
	}
	c.warn(name + ": items of another form than the hosted service's are left out")
	return slices.DeleteFunc(list, func(item any) bool { return bucketlite.ValidateNamespace(config([]any{item})) != nil })
}

// pathNamespace returns the namespace that the path names.
func (c *call) pathNamespace() (*bucketlite.Namespace, error) {
	return c.namespace(c.r.PathValue("namespace"))
}

// getNamespace returns a namespace.
func (c *call) getNamespace() (any, error) {
	ns, err := c.pathNamespace()
	if err != nil {
		return nil, err
	}
	return c.namespaceAnswer(ns.Info(c.ctx()))
}

// updateNamespace changes the given members of a namespace. PUT and PATCH are the same:
// absent members stay.
func (c *call) updateNamespace() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	update := bucketlite.NamespaceUpdate{
		Name:           f.optionalText("namespace_name", "name"),
		Description:    f.optionalText("description"),
		PayloadIndexes: f.list("payload_indexes"),
	}
	f.hostedSettings()
	extractors := f.list("feature_extractors")
	f.takeOthers(bucketlite.ValidateNamespace(bucketlite.NamespaceConfig{
		Name: "any", FeatureExtractors: extractors, PayloadIndexes: update.PayloadIndexes,
	}))
	if extractors != nil {
		c.warn("feature_extractors: ignored, they are fixed at creation")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	ns, err := c.pathNamespace()
	if err != nil {
		return nil, err
	}
	if update.Name != nil && *update.Name != ns.Name() {
		if err := c.mayName(*update.Name); err != nil {
			return nil, err
		}
	}
	return c.namespaceAnswer(ns.Update(c.ctx(), update))
}

// deleteNamespace begins to delete a namespace.
func (c *call) deleteNamespace() (any, error) {
	ns, err := c.pathNamespace()
	if err != nil {
		return nil, err
	}
	task, err := ns.Delete(c.ctx())
	if err != nil {
		return nil, err
	}
	return deletion{
		TaskID: task.ID, Status: task.Status, NamespaceID: ns.ID(), NamespaceName: ns.Name(),
		ObjectCount: task.AdditionalData["object_count"],
	}, nil
}

// listNamespaces returns a page of the namespaces that the key may enter.
func (c *call) listNamespaces() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	q, err := c.listed(f, bucketlite.DefaultLimit, bucketlite.MaxLimit)
	if err != nil {
		return nil, err
	}
	if mine := c.key.Namespaces; mine != nil {
		q.limitTo(bucketlite.Or(bucketlite.In("namespace_id", mine...), bucketlite.In("namespace_name", mine...)).CaseSensitive())
	}
	q.Total = true
	page, err := c.h.store.ListNamespaces(c.ctx(), q.Query)
	if err != nil {
		return nil, q.told(err)
	}
	for _, info := range page.Results {
		c.namespaceAnswer(info, nil)
	}
	var stats *bucketlite.NamespaceListStats
	if !q.noStats {
		if stats, err = c.h.store.NamespaceListStats(c.ctx(), q.Query); err != nil {
			return nil, err
		}
	}
	return answerOf(q, page, stats, true), nil
}

// browseNamespaces is listNamespaces for clients that GET it.
func (c *call) browseNamespaces() (any, error) {
	c.warn("GET /v1/namespaces: POST /v1/namespaces/list expected")
	return c.listNamespaces()
}
