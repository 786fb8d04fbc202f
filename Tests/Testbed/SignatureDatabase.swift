package import Posix

/// A folder with the signatures of the two things that are made to be found, removed with its owner.
package final class SignatureDatabase: Sendable {
    /// The folder, absolute.
    package let path: String

    /// The name ClamAV gives to Debian's clamav-testfiles with it.
    package static let testFileName = "ClamAV-Test-File.UNOFFICIAL"
    /// The name ClamAV gives to the EICAR test file with it, wherever it stands.
    package static let eicarName = "EICAR-Test-File.UNOFFICIAL"

    /// The EICAR test file, in two parts so that no scanner takes these sources for it.
    package static var eicar: [UInt8] {
        Array(#"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD"#.utf8)
            + Array("-ANTIVIRUS-TEST-FILE!$H+H*".utf8)
    }

    /// Make the folder and its files test.hdb and test.ndb.
    package init() throws(Errno) {
        path = "/tmp/signatures." + String(decoding: uniqueName(), as: UTF8.self)
        try Files.makeDirectory(Array(path.utf8), permissions: 0o755)
        let hex = Self.eicar.map { Self.hex($0) }.joined()
        try write(
            "test.hdb", "aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File\n")
        try write("test.ndb", "EICAR-Test-File:0:*:\(hex)\n")
    }

    deinit {
        // What a test leaves behind harms no other.
        _ = try? shell("rm -rf '\(path)'")
    }

    /// Write a file of the folder.
    package func write(_ name: String, _ text: String) throws(Errno) {
        let file = try FileDescriptor.open(Array("\(path)/\(name)".utf8), .replace)
        try file.write(Array(text.utf8))
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }
}
