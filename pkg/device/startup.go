package device

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"

	"github.com/openconfig/gnoi/file"
	"github.com/openconfig/gnoi/types"
	"google.golang.org/grpc"

	"github.com/loomfabric/loom/pkg/config"
)

// Startup reads the configuration that the device would boot with, by gNOI, and checks its hash.
func (d *Device) Startup(ctx context.Context) (*config.Tree, []config.Unknown, error) {
	const op = "startup"
	name := d.target.Driver.Manners.StartupFile
	if name == "" {
		return nil, nil, d.errorf(op, Refused, "the driver knows no startup file")
	}
	var data []byte
	err := d.call(ctx, op, false, d.target.Timeout, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		data, err = readFile(ctx, conn, name)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	tree, unknown, err := config.Parse(d.target.Driver.Schema, d.target.Release, data, config.ParseOptions{})
	if err != nil {
		return nil, nil, d.errorf(op, Refused, "%s: %w", name, err)
	}
	return tree, unknown, nil
}

// readFile reads one file of a device.
func readFile(ctx context.Context, conn *grpc.ClientConn, name string) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := file.NewFileClient(conn).Get(ctx, &file.GetRequest{RemoteFile: name})
	if err != nil {
		return nil, err
	}
	var data []byte
	for {
		resp, err := stream.Recv()
		if err == io.EOF {
			return nil, fmt.Errorf("%s: ended without a hash", name)
		}
		if err != nil {
			return nil, err
		}
		if h := resp.GetHash(); h != nil {
			return data, checkHash(name, data, h)
		}
		data = append(data, resp.GetContents()...)
		if len(data) > maxMessage {
			return nil, fmt.Errorf("%s: longer than %d bytes", name, maxMessage)
		}
	}
}

// errHash is the cause where a file is not what the device hashed.
var errHash = errors.New("hash does not fit the contents")

// checkHash compares a file with the hash that the device sent. MD5 is no proof of anything.
func checkHash(name string, data []byte, h *types.HashType) error {
	var sum []byte
	switch h.GetMethod() {
	case types.HashType_SHA256:
		s := sha256.Sum256(data)
		sum = s[:]
	case types.HashType_SHA512:
		s := sha512.Sum512(data)
		sum = s[:]
	default:
		return fmt.Errorf("%s: hash method %s is not one of SHA256, SHA512", name, h.GetMethod())
	}
	if !bytes.Equal(sum, h.GetHash()) {
		return fmt.Errorf("%s: %w", name, errHash)
	}
	return nil
}
