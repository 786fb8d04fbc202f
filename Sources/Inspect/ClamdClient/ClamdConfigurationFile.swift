import ByteText
import Posix

/// The configuration file of a clamd on this machine.
package enum ClamdConfigurationFile {
    /// Its bytes.
    ///
    /// - Parameters:
    ///   - named: The file that a setting names. Debian's stands for the one that the service clamd makes of it, as long
    ///     as that one's clamd holds the lock on it; nil is Debian's.
    ///   - root: What stands before the paths of an instance.
    /// - Returns: Nil when no configuration file can be read.
    package static func text(named: [UInt8]?, root: [UInt8]) -> [UInt8]? {
        let usual = root + [UInt8]("/etc/clamav/clamd.conf")
        let path = named ?? usual
        if path == usual || path.equals("/etc/clamav/clamd.conf"),
            let made = contents(root + [UInt8]("/run/qhpsi/clamd.conf"), ifLocked: true)
        {
            return made
        }
        return contents(path, ifLocked: false)
    }

    private static func contents(_ path: [UInt8], ifLocked: Bool) -> [UInt8]? {
        do throws(Errno) {
            let file = try FileDescriptor.open(path, .readNonBlocking)
            if ifLocked, try !file.isLockedByAnother() { return nil }
            return try file.readToEnd(limit: 1 << 20)
        } catch {
            return nil
        }
    }

    /// The folder in which a clamd with this configuration unpacks: that of the first TemporaryDirectory, or /tmp.
    ///
    /// - Returns: Nil when it is written in a form that is not known here.
    package static func temporaryFolder(in text: [UInt8]) -> [UInt8]? {
        let name: StaticString = "temporarydirectory"
        var start = 0
        while start < text.count {
            // Few lines begin so.
            if text[start] | 0x20 == UInt8(ascii: "t") {
                let line = Array(text[start...].prefix { $0 != 10 })
                if line.startsIgnoringCase(with: name), line.count > name.utf8CodeUnitCount,
                    line[name.utf8CodeUnitCount].isBlank
                {
                    let path = Array(line.dropFirst(name.utf8CodeUnitCount)).trimmed
                    return path.first == UInt8(ascii: "/") ? path : nil
                }
            }
            while start < text.count, text[start] != 10 { start += 1 }
            start += 1
        }
        return [UInt8]("/tmp")
    }
}
