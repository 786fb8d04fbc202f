import COpenSSL
import Posix

/// SHA-256 over what comes piece by piece; see FIPS 180-4 and EVP_DigestInit(3).
struct ContentDigest: ~Copyable {
    private let context: OpaquePointer

    init() throws(Errno) {
        guard let context = EVP_MD_CTX_new() else { throw .noMemory }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw .invalid
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Add bytes.
    borrowing func add(_ bytes: ArraySlice<UInt8>) throws(Errno) {
        let done = bytes.withUnsafeBufferPointer {
            EVP_DigestUpdate(context, $0.baseAddress, $0.count)
        }
        guard done == 1 else { throw .invalid }
    }

    /// The first 128 bits, as 32 hexadecimal digits; the digest has ended then.
    borrowing func digits() throws(Errno) -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        let done = digest.withUnsafeMutableBufferPointer {
            EVP_DigestFinal_ex(context, $0.baseAddress, nil)
        }
        guard done == 1 else { throw .invalid }
        return digest.prefix(16).map { byte in
            let text = String(byte, radix: 16)
            return text.utf8.count < 2 ? "0" + text : text
        }.joined()
    }
}
