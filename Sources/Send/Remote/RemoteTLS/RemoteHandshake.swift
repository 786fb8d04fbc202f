import ControlFiles
import Posix
import RemoteDelivery
import RemoteDialogue

/// Goes on under TLS in this process.
struct RemoteHandshake: TLSUpgrade {
    let plainHosts: PlainHosts

    /// Milliseconds for a handshake, when timeoutremote does not give it less; a server that has none yet is asked
    /// again without it.
    private static let patience = 60_000

    func isWanted(for target: RemoteTarget) -> Bool { !plainHosts.contains(target) }

    func goOn(
        over socket: consuming FileDescriptor, _ targets: [RemoteTarget], _ errand: Errand,
        _ message: borrowing OutgoingMessage, patience: SessionPatience
    ) -> SessionResult? {
        guard let target = targets.first, let context = RemoteTLSContext() else { return nil }
        guard var stream = RemoteTLSStream(context, socket, name: target.name) else { return nil }
        do throws(Errno) {
            try stream.shakeHands(
                until: Deadline(milliseconds: min(patience.reply, Self.patience)))
        } catch {
            return nil
        }
        var dialogue = RemoteDialogue(
            errand, with: target.peer, .afterHandshake(version: stream.version))
        let ending = RemoteSession.run(&dialogue, over: &stream, message, patience: patience)
        // A dialogue that began under TLS never asks for it.
        guard case .result(let result) = ending else { return nil }
        return result
    }
}
