package device

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnoi/file"
	"github.com/openconfig/gnoi/types"
	"google.golang.org/grpc"

	"github.com/loomfabric/loom/pkg/config"
)

// Startup reads the configuration that the device would boot with, by gNOI, and checks its hash.
func (d *Device) Startup(ctx context.Context) (*config.Tree, []config.Unknown, error) {
	data, err := d.startup(ctx)
	if err != nil {
		return nil, nil, err
	}
	return d.parseStartup(data)
}

// parseStartup reads a startup file; what says who wrote it is no configuration.
func (d *Device) parseStartup(data []byte) (*config.Tree, []config.Unknown, error) {
	m := &d.target.Driver.Manners
	tree, unknown, err := d.parse(startupOp, m.StartupFile, data, config.ParseOptions{})
	unknown = slices.DeleteFunc(unknown, func(u config.Unknown) bool {
		return m.Preamble != "" && len(u.Path) == 1 && u.Path[0].Name == m.Preamble
	})
	return tree, unknown, err
}

const startupOp = "startup"

func (d *Device) startup(ctx context.Context) ([]byte, error) {
	name := d.target.Driver.Manners.StartupFile
	if name == "" {
		return nil, d.errorf(startupOp, Refused, "the driver knows no startup file")
	}
	var data []byte
	err := d.call(ctx, startupOp, false, d.target.Timeout, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		data, err = readFile(ctx, conn, name)
		return err
	})
	return data, err
}

// Configuration is all that a device has, inside and outside of what the profile knows.
type Configuration struct {
	Tree    *config.Tree
	Unknown []config.Unknown
}

// Both reads the whole running configuration and the startup configuration, in this order. Where both say plainly (see
// config.Beside) all that an expected tree says, that is left out of both, and as expected is true: what is left
// differs as the whole would. expected may be nil: nothing is.
//
// Where they are the same text, white space aside, they are one tree: a device that writes both in the same order is parsed once.
func (d *Device) Both(ctx context.Context, expected *config.Tree) (running, startup Configuration, asExpected bool, err error) {
	text, file, err := d.texts(ctx)
	if err != nil {
		return running, startup, false, err
	}
	if running, ok := d.beside(expected, text, d.parseText); ok {
		if startup, ok := d.beside(expected, file, d.parseStartup); ok {
			return running, startup, true, nil
		}
	}
	if running.Tree, running.Unknown, err = d.parseText(text); err != nil {
		return running, startup, false, err
	}
	if sameTokens(text, file) {
		return running, running, false, nil
	}
	startup.Tree, startup.Unknown, err = d.parseStartup(file)
	return running, startup, false, err
}

// texts reads the documents of the running and of the startup configuration.
func (d *Device) texts(ctx context.Context) (running, startup []byte, err error) {
	const op = "get"
	resp, err := d.ask(ctx, op, gnmi.GetRequest_CONFIG, []config.Path{nil})
	if err != nil {
		return nil, nil, err
	}
	if running, err = d.document(resp); err != nil {
		return nil, nil, d.errorf(op, Refused, "answer: %w", err)
	}
	startup, err = d.startup(ctx)
	return running, startup, err
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
