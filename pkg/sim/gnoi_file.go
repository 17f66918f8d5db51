package sim

import (
	"crypto/sha256"

	"github.com/openconfig/gnoi/file"
	"github.com/openconfig/gnoi/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fileServer is the gNOI side of a device, as far as files go.
type fileServer struct {
	file.UnimplementedFileServer
	*Device
}

// chunk is how much of a file one message carries (gNOI file.proto).
const chunk = 64 << 10

// Get answers the startup configuration.
func (s *fileServer) Get(req *file.GetRequest, stream file.File_GetServer) error {
	if name := s.spec.Driver.Manners.StartupFile; name == "" || req.GetRemoteFile() != name {
		return status.Errorf(codes.NotFound, "%s: no such file", req.GetRemoteFile())
	}
	data, err := s.startupFile()
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	sum := sha256.Sum256(data)
	for len(data) > 0 {
		n := min(len(data), chunk)
		if err := stream.Send(&file.GetResponse{Response: &file.GetResponse_Contents{Contents: data[:n]}}); err != nil {
			return err
		}
		data = data[n:]
	}
	hash := &types.HashType{Method: types.HashType_SHA256, Hash: sum[:]}
	return stream.Send(&file.GetResponse{Response: &file.GetResponse_Hash{Hash: hash}})
}
