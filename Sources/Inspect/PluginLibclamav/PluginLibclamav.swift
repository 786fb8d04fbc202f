import ByteText
public import CScanPlugin
import ClamEngine
import Posix
import ScanPlugin
import ScanProtocol

/// The plugin libclamav.so, called as qhpsi_plugin(3) says; see qhpsi-libclamav(7).
@_cdecl("virusscan_v1")
public func virusscan(
    _ message: UnsafePointer<qhpsi_message>, _ result: UnsafeMutablePointer<qhpsi_result>
) -> Int32 {
    let file = FileDescriptor(adopting: message.pointee.descriptor)
    let verdict = scan(file, milliseconds: Int(message.pointee.milliseconds))
    _ = file.release()  // It is the host's.
    return PluginAnswer.give(verdict, by: [UInt8]("libclamav"), into: &result.pointee)
}

/// The same for a host that knows the old entry point only, which gives a path.
@_cdecl("virusscan")
public func virusscan(_ path: UnsafePointer<CChar>) -> Int32 {
    PluginAnswer.give(toPath: path) { file in scan(file, milliseconds: 120_000) }
}

private func scan(_ file: borrowing FileDescriptor, milliseconds: Int) -> Verdict {
    // What is left of the time is for the report.
    let deadline = Deadline(milliseconds: milliseconds - min(200, milliseconds / 10))
    let settings: ClamSettings
    do throws(ClamSettings.Misconfiguration) {
        settings = try ClamSettings(.current)
    } catch {
        return .failed(reason: error.text)
    }
    do throws(ClamEngine.Failure) {
        let engine = try ClamEngine.loaded(settings)
        return engine.scan(file, settings, until: deadline)
    } catch {
        return .failed(reason: error.reason)
    }
}
