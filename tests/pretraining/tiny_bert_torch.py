"""TinyBERT's loss by PyTorch, written out as general_distill.py has it.

Scores before the softmax with the mask added, from the states that each layer
reads; one dense layer for all states of the student.
"""

import pytest

torch = pytest.importorskip("torch")


def _scores(layer, states, mask):
    """Raw scores, [B, H, T, T], with what the mask adds."""
    attention = layer.attention.self
    query, key = (
        x(states).unflatten(-1, (4, -1)).transpose(1, 2)
        for x in (attention.query, attention.key)
    )
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    scores = scores + (1.0 - mask[:, None, None, :].float()) * -10000.0
    return torch.where(scores <= -1e2, torch.zeros_like(scores), scores)


def loss(student, teacher, fit_dense, batch):
    given = {
        "input_ids": torch.tensor(batch["input_ids"]).long(),
        "attention_mask": torch.tensor(batch["input_mask"]).long(),
        "token_type_ids": torch.tensor(batch["segment_ids"]).long(),
    }
    ours = student(**given, output_hidden_states=True).hidden_states
    mask = given["attention_mask"]
    total = 0.0
    with torch.no_grad():
        theirs = teacher(**given, output_hidden_states=True).hidden_states
        taught_scores = [
            _scores(layer, state, mask)
            for layer, state in zip(
                teacher.encoder.layer, theirs[:-1], strict=True
            )
        ]
    a_layer = len(taught_scores) // (len(ours) - 1)
    mse = torch.nn.MSELoss()
    for i, layer in enumerate(student.encoder.layer):
        wanted = taught_scores[i * a_layer + a_layer - 1]
        total = total + mse(_scores(layer, ours[i], mask), wanted)
    for i, state in enumerate(ours):
        total = total + mse(fit_dense(state), theirs[i * a_layer])
    return total
