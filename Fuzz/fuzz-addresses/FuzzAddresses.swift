import Address
import ByteText
import MessageComposition

/// Address lists and whole headers from outside: any bytes are read or refused.
///
/// An address that was read has no byte that could end a record of the envelope or a line of the header, a completed
/// list is read as the same addresses again and changes no more, and the header's reader loses no byte.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAddresses(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let completion = AddressCompletion(
        defaultHost: [UInt8]("host"), defaultDomain: [UInt8]("test.example"),
        plusDomain: [UInt8]("plus.example"))
    checkList(bytes, completion)
    checkHeader(bytes, completion)
    return 0
}

private func checkList(_ bytes: [UInt8], _ completion: AddressCompletion) {
    let list: AddressList
    do throws(AddressFlaw) { list = try AddressList(bytes) } catch {
        if error.position > bytes.count { fatalError("a flaw outside of the text") }
        return
    }
    let whole = list.addresses.map { completion.completed($0) }
    for address in whole where address.envelope.contains(where: { $0 < 32 || $0 == 127 }) {
        fatalError("a control character in an address")
    }
    let text = list.completed(bytes, by: completion)
    do throws(AddressFlaw) {
        let again = try AddressList(text)
        if again.addresses != whole { fatalError("a completed list has other addresses") }
        if again.completed(text, by: completion) != text { fatalError("a whole list changes") }
    } catch {
        fatalError("a completed list cannot be read")
    }
}

private func checkHeader(_ bytes: [UInt8], _ completion: AddressCompletion) {
    var reader = HeaderReader()
    do throws(HeaderReader.TooLong) { try reader.push(bytes[...]) } catch { return }
    reader.finish()
    if !bytes.contains(13), !bytes.starts(with: "From "), !bytes.starts(with: ">") {
        let all = reader.fields.reduce([]) { $0 + $1.bytes } + reader.body
        if all.count + 1 < bytes.count { fatalError("the header's reader loses bytes") }
    }
    let author = MessageAuthor(
        name: bytes, address: MailAddress(localPart: [UInt8]("a"), domain: [UInt8]("b")))
    for style in [MessageAuthor.Style.name, .comment]
    where author.text(style).contains(where: { $0 < 32 || $0 >= 127 }) {
        fatalError("an author's name breaks the field")
    }
    let composition = HeaderComposition(
        completion: completion, author: author, date: [UInt8]("d"), messageID: [UInt8]("i"))
    do throws(HeaderComposition.Flaw) {
        let composed = try composition.compose(reader.fields)
        if composed.header.last != 10 { fatalError("a header without an end") }
    } catch {
        return
    }
}
