package httpapi

import (
	"context"

	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/topics"
)

func (a *api) listTopics(ctx context.Context, in *ProductPath) (list[topics.Class], error) {
	if _, err := a.Registry.Product(ctx, in.Product); err != nil {
		return list[topics.Class]{}, err
	}
	all, err := a.Topics.Classes(ctx, in.Product)
	return page(all, ""), err
}

type declareTopicInput struct {
	ProductPath
	Body struct {
		Path       string            `json:"path" doc:"Behind product and device, such as user/update; devices may subscribe to paths with + and #"`
		Permission topics.Permission `json:"permission" doc:"publish, subscribe or both: what devices may do"`
		Desc       string            `json:"desc,omitempty"`
	}
}

// declareTopic adds a class of custom topics, or changes it.
func (a *api) declareTopic(ctx context.Context, in *declareTopicInput) (topics.Class, error) {
	p, err := a.Registry.Product(ctx, in.Product)
	if err != nil {
		return topics.Class{}, err
	}
	if p.Dialect != "aliyun" {
		return topics.Class{}, fault.Conflict("only products of the dialect aliyun declare topics; %q speaks %s", p.Key, p.Dialect)
	}
	return a.Topics.Declare(ctx, topics.Class{Product: in.Product, Path: in.Body.Path, Permission: in.Body.Permission, Desc: in.Body.Desc})
}

type removeTopicInput struct {
	ProductPath
	Path string `query:"path" required:"true" doc:"As it was declared"`
}

func (a *api) removeTopic(ctx context.Context, in *removeTopicInput) error {
	return a.Topics.Remove(ctx, in.Product, in.Path)
}
