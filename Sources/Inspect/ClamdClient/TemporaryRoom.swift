import ByteText
import Posix
import ScanProtocol

/// The room in the folder in which clamd unpacks.
///
/// Without room clamd says OK to what it cannot unpack: to an archive in a message that was sent to it, and to all of a
/// message whose descriptor it has. Its answer does not tell; only the folder does.
struct TemporaryRoom {
    private let folder: [UInt8]
    /// Bytes of the message, which clamd can have there twice over.
    private let size: Int
    private var wasLow = false

    /// The bytes and files that must be free in the folder, or a quarter of it if it is small.
    private static let reserve = 32 << 20
    private static let fileReserve = 1000

    /// That of a clamd on this machine; nil when its folder is not known, as that of another machine's.
    init?(_ environment: Environment, root: [UInt8], size: Int) {
        let text = ClamdConfigurationFile.text(named: environment["CLAMD_CONF"], root: root)
        guard let text, let folder = ClamdConfigurationFile.temporaryFolder(in: text) else {
            return nil
        }
        self.folder = folder
        self.size = size
        guard let isLow = self.isLow else { return nil }
        wasLow = isLow
    }

    /// Nil when the folder cannot be looked at.
    private var isLow: Bool? {
        do throws(Errno) {
            let place = try FileSystem(of: folder)
            if place.files > 0, place.freeFiles < min(Self.fileReserve, place.files / 4) {
                return true
            }
            return place.freeBytes < needed(place)
        } catch {
            return nil
        }
    }

    private func needed(_ place: FileSystem) -> Int {
        let (bytes, overflow) = min(Self.reserve, place.bytes / 4)
            .addingReportingOverflow(size)
        return overflow ? Int.max : bytes
    }

    /// What clean is worth after the scan: nothing when room was short before or is now.
    func judged(_ verdict: Verdict) -> Verdict {
        guard verdict == .clean, wasLow || isLow ?? true else { return verdict }
        do throws(Errno) {
            let place = try FileSystem(of: folder)
            // Waiting would not help.
            if needed(place) > place.bytes {
                return .notScanned(reason: [UInt8]("exceeds clamd's temporary folder"))
            }
        } catch {
            // It has gone during the scan.
        }
        return .failed(reason: [UInt8]("clamd's temporary folder is full: ") + folder)
    }
}
