/* What CubeMX's main.h gives a program, on a computer: a UART that is a TCP
 * connection to a module, a clock, and an interrupt for each byte that comes. */
#ifndef MAIN_H
#define MAIN_H

#include <stddef.h>
#include <stdint.h>

typedef struct { int fd; } UART_HandleTypeDef;
typedef enum { HAL_OK, HAL_ERROR, HAL_BUSY, HAL_TIMEOUT } HAL_StatusTypeDef;

HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef *uart, uint8_t *data, uint16_t size, uint32_t timeout);
HAL_StatusTypeDef HAL_UART_Receive_IT(UART_HandleTypeDef *uart, uint8_t *data, uint16_t size);
void HAL_UART_RxCpltCallback(UART_HandleTypeDef *uart);
uint32_t HAL_GetTick(void);
void HAL_Delay(uint32_t milliseconds);

#endif
