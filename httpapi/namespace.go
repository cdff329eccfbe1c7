package httpapi

import (
	"fmt"

	"github.com/bucketlite/bucketlite"
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
		FeatureExtractors: f.records("feature_extractors", "feature_extractor_name", "version"),
		PayloadIndexes:    f.payloadIndexes(),
	}
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
	return namespaceAnswer(ns.Info(c.ctx()))
}

// mayName refuses a name for a namespace that the key is not limited to.
func (c *call) mayName(name string) error {
	if c.key.allows(name) {
		return nil
	}
	return forbidden(fmt.Sprintf("the key may not name a namespace %q", name))
}

// payloadIndexes returns the member payload_indexes, nil if it is absent.
func (f *form) payloadIndexes() []any { return f.records("payload_indexes", "field_name", "type") }

// records returns a list of objects that have certain strings, nil if it is absent.
func (f *form) records(name string, required ...string) (list []any) {
	if given, ok := f.doc[name].([]any); ok && len(given) == 0 {
		return given
	}
	f.each(name, func(item *form) {
		for _, member := range required {
			item.requiredText(member)
		}
		list = append(list, item.doc)
	})
	return list
}

// namespaceAnswer adds a member of the wire form to a namespace: the ids of its feature
// extractors, which follow from their names and versions.
func namespaceAnswer(info *bucketlite.NamespaceInfo, err error) (any, error) {
	if err != nil {
		return nil, err
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
	return namespaceAnswer(ns.Info(c.ctx()))
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
		PayloadIndexes: f.payloadIndexes(),
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
	return namespaceAnswer(ns.Update(c.ctx(), update))
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
		namespaceAnswer(info, nil)
	}
	stats, err := c.h.store.NamespaceListStats(c.ctx(), q.Query)
	if err != nil {
		return nil, err
	}
	return answerOf(q, page, stats, true), nil
}

// browseNamespaces is listNamespaces for clients that GET it.
func (c *call) browseNamespaces() (any, error) {
	c.warn("GET /v1/namespaces: POST /v1/namespaces/list expected")
	return c.listNamespaces()
}
