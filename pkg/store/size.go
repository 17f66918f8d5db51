package store

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Size is how many bytes the database takes on the disk: of this member, or of the first of a cluster's that answers.
type Size struct {
	Bytes int64 // of the file
	Used  int64 // of it, by records; the rest is free for others
	Most  int64 // beyond which nothing is written any more; 0: the cluster's owner knows
}

// Size asks etcd for the size of its database.
func (s *Store) Size(ctx context.Context) (Size, error) {
	endpoints, most := s.options.Endpoints, int64(0)
	if !s.Shared() {
		endpoints, most = []string{""}, quota
	}
	var last error
	for _, e := range endpoints {
		answer, err := ask(ctx, s, func(ctx context.Context) (*clientv3.StatusResponse, error) { return s.client.Status(ctx, e) })
		if err == nil {
			return Size{answer.DbSize, answer.DbSizeInUse, most}, nil
		}
		last = err
	}
	return Size{}, fmt.Errorf("store: size: %w", last)
}
