import ByteText
import CScanPlugin
import HostStart
import Posix
import ScanPlugin
import ScanProtocol

/// A loaded plugin.
struct Plugin {
    /// `virusscan_v1` of qhpsi_plugin.h.
    typealias Entry =
        @convention(c) (UnsafePointer<qhpsi_message>, UnsafeMutablePointer<qhpsi_result>) -> Int32
    /// `virusscan` of qhpsi_plugin.h.
    typealias PathEntry = @convention(c) (UnsafePointer<CChar>) -> Int32

    private enum EntryPoint {
        case descriptor(Entry)
        case path(PathEntry)
    }

    /// The file's name without `.so`: who scanned, unless the plugin says so itself.
    let name: [UInt8]
    private let entry: EntryPoint
    private let settings: PluginSettings

    /// Why a plugin cannot be used.
    struct Unusable: Error {
        let exit: HostExit
        let reason: [UInt8]

        init(_ exit: HostExit, _ file: [UInt8], _ text: [UInt8]) {
            self.exit = exit
            reason = [UInt8]("plugin ") + file + [UInt8](": ") + text
        }
    }

    /// Load it and look for its entry points, the richer one first.
    init(_ file: [UInt8], _ settings: PluginSettings) throws(Unusable) {
        guard let path = settings.path(of: file) else {
            throw Unusable(.misconfigured, file, [UInt8]("not the name of a file"))
        }
        let library: DynamicLibrary
        do throws(DynamicLibrary.Failure) {
            library = try DynamicLibrary(path)
        } catch {
            throw Unusable(.loading, file, error.text)
        }
        do throws(DynamicLibrary.Failure) {
            entry = try Self.entry(of: library, settings.symbol)
        } catch {
            throw Unusable(.symbol, file, error.text)
        }
        self.settings = settings
        name =
            file.count > 3 && file.suffix(3).elementsEqual([UInt8](".so"))
            ? Array(file.dropLast(3)) : file
    }

    private static func entry(
        of library: DynamicLibrary, _ symbol: [UInt8]
    ) throws(DynamicLibrary.Failure) -> EntryPoint {
        do throws(DynamicLibrary.Failure) {
            return .descriptor(
                try library.function(named: symbol + [UInt8]("_v1"), as: Entry.self))
        } catch {
            // An existing plugin, which has the other one only.
            return .path(try library.function(named: symbol, as: PathEntry.self))
        }
    }

    /// Have it scan.
    ///
    /// - Parameters:
    ///   - message: The message, at its start, without its path.
    ///   - path: The path, which the plugin sees up to a NUL.
    /// - Returns: What it said.
    func scan(_ message: qhpsi_message, path: [UInt8]) -> ScanReport {
        let terminated = path.map { CChar(bitPattern: $0) } + [0]
        return terminated.withUnsafeBufferPointer { raw in
            guard let path = raw.baseAddress else { return failed([UInt8]("no path")) }
            switch entry {
            case .path(let scan):
                return report(
                    PluginAnswer.take(
                        scan(path), infected: settings.infectedValue, clean: settings.cleanValue),
                    by: name)
            case .descriptor(let scan):
                var message = message
                message.path = path
                var result = qhpsi_result()
                result.size = UInt32(MemoryLayout<qhpsi_result>.size)
                let value = scan(&message, &result)
                let scanner = PluginAnswer.scanner(result)
                return report(
                    PluginAnswer.take(value, result), by: scanner.isEmpty ? name : scanner)
            }
        }
    }

    /// A failure's reason begins with the plugin's name, whatever the plugin itself says.
    private func report(_ verdict: Verdict, by scanner: [UInt8]) -> ScanReport {
        guard case .failed(let reason) = verdict else {
            return ScanReport(verdict, scanner: scanner)
        }
        return failed(reason.isEmpty ? [UInt8]("no reason given") : reason)
    }

    private func failed(_ reason: [UInt8]) -> ScanReport {
        ScanReport(
            .failed(reason: [UInt8]("plugin ") + name + [UInt8](": ") + reason), scanner: name)
    }
}
