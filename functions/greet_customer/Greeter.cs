using System.IO;
using System.Text.Json;

namespace Greeting;

/// <summary>Greets a customer by name. Streams in and out: no serializer has to be packaged.</summary>
public class Greeter
{
    public Stream Handle(Stream input)
    {
        using var customer = JsonDocument.Parse(input);
        var name = customer.RootElement.GetProperty("name").GetString();
        return new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(new { greeting = $"Hello, {name}" }));
    }
}
